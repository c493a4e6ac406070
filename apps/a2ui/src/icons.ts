/** The icons of the standard catalogue, as strokes on a field of 24 by 24. */
const person = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c0-4 4-6 8-6s8 2 8 6";
const heart = "M12 20S4 14.5 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 5.500-8 11-8 11";
const star =
  "m12 3 2.700 5.800 6.300.800-4.600 4.400 1.200 6.300L12 17.200 6.400 20.300l1.200-6.300L3 9.600l6.300-.800z";
const bell = "M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 20.500a2 2 0 0 0 4 0";
const eye = "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12m10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6";
const circle = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18";
const strike = "M4 4l16 16";
const box = "M5 10h14v11H5z";
const arrowUp = "M12 16V4m-5 5 5-5 5 5M4 20h16";

const paths: Readonly<Record<string, string>> = {
  accountCircle: `${circle}M12 12a3 3 0 1 0 0-6 3 3 0 0 0 0 6M6 18c1-3 3.500-4 6-4s5 1 6 4`,
  add: "M12 5v14M5 12h14",
  arrowBack: "M20 12H4m7-7-7 7 7 7",
  arrowForward: "M4 12h16m-7-7 7 7-7 7",
  attachFile: "m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8.500 8.500a1.500 1.500 0 0 1-2-2L15 8",
  calendarToday: "M4 6h16v15H4zM4 10h16M8 3v5m8-5v5",
  call: "M5 3h4l2 5-2.500 1.500a12 12 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2",
  camera: "M3 8h4l2-3h6l2 3h4v12H3zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
  check: "m4 12 6 6L20 6",
  close: "M5 5l14 14M19 5 5 19",
  delete: "M4 6h16M9 6V3h6v3m3 0-1 15H7L6 6m4 4v7m4-7v7",
  download: "M12 4v12m-5-5 5 5 5-5M4 20h16",
  edit: "M4 20l1-5L16 4l4 4L9 19z",
  event: "M4 6h16v15H4zM4 10h16M8 3v5m8-5v5m-3 7h4v4h-4z",
  error: `${circle}M12 7v6m0 3.500v.500`,
  favorite: heart,
  favoriteOff: `${heart}${strike}`,
  folder: "M3 6h7l2 2h9v12H3z",
  help: `${circle}M9 9.500a3 3 0 1 1 4 2.800c-.700.300-1 .900-1 1.700m0 3v.500`,
  home: "m3 12 9-8 9 8M6 10v10h12V10",
  info: `${circle}M12 11v6m0-10v.500`,
  locationOn:
    "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21m0-9a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5",
  lock: `${box}M8 10V7a4 4 0 0 1 8 0v3`,
  lockOpen: `${box}M8 10V7a4 4 0 0 1 7.500-2`,
  mail: "M3 5h18v14H3zm0 1 9 7 9-7",
  menu: "M4 6h16M4 12h16M4 18h16",
  moreVert: "M12 5v.500m0 6.500v.500m0 6v.500",
  moreHoriz: "M5 12h.500m6 0h.500m6.500 0h.500",
  notificationsOff: `${bell}${strike}`,
  notifications: bell,
  payment: "M3 5h18v14H3zm0 5h18M6 15h4",
  person,
  phone: "M7 2h10v20H7zm4 17h2",
  photo: "M3 4h18v16H3zm0 13 6-6 4 4 3-3 5 5M15.500 9v.500",
  print: "M7 8V3h10v5M5 8h14v8h-3v5H8v-5H5z",
  refresh: "M20 5v5h-5m4.500 0A8 8 0 1 0 20 14",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M15.500 15.500 21 21",
  send: "M3 4l18 8-18 8 3-8zM6 12h8",
  settings: `${circle}M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6M12 3v3m0 12v3M3 12h3m12 0h3`,
  share: "M6 12h.500M17 5.500h.500M17 18.500h.500M8 11l8-5M8 13l8 5",
  shoppingCart: "M2 4h3l3 11h10l3-8H6M9 20v.500m8-.500v.500",
  star,
  starHalf: `${star}M12 3v14`,
  starOff: `${star}${strike}`,
  upload: arrowUp,
  visibility: eye,
  visibilityOff: `${eye}${strike}`,
  warning: "M12 3 2 20h20zM12 9v5m0 3v.500",
};

const namespace = "http://www.w3.org/2000/svg";

/** A ring for a name that is not known. */
export function icon(name: string): SVGElement {
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", (Object.hasOwn(paths, name) ? paths[name] : undefined) ?? circle);
  svg.append(path);
  return svg;
}
