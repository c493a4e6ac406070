/** Texts, pictures, sound. */
import { icon } from "./icons.ts";
import { own, ownText } from "./messages.ts";
import { safeUrl } from "./safe.ts";
import { fillText } from "./text.ts";
import { element, type Make, textOf } from "./view.ts";

const tags: Readonly<Record<string, string>> = { h1: "h1", h2: "h2", h3: "h3", h4: "h4", h5: "h5", caption: "small" };

const text: Make = (props, view) => {
  const hint = ownText(props, "usageHint") ?? "body";
  const box = element(
    (Object.hasOwn(tags, hint) ? tags[hint] : undefined) ?? "p",
    `text text-${hint.replaceAll(/\W/g, "")}`,
  );
  view.bind(() => fillText(box, textOf(own(props, "text"), view)));
  return box;
};

const hints = new Set(["icon", "avatar", "smallFeature", "mediumFeature", "largeFeature", "header"]);
const fittings = new Set(["contain", "cover", "fill", "none", "scale-down"]);

const image: Make = (props, view) => {
  const picture = document.createElement("img");
  const hint = ownText(props, "usageHint") ?? "mediumFeature";
  picture.className = `image image-${hints.has(hint) ? hint : "mediumFeature"}`;
  const fit = ownText(props, "fit") ?? "";
  if (fittings.has(fit)) picture.style.objectFit = fit;
  picture.referrerPolicy = "no-referrer";
  picture.addEventListener("error", () => picture.classList.add("broken"));
  view.bind(() => {
    picture.alt = textOf(own(props, "altText"), view);
    setSource(picture, textOf(own(props, "url"), view));
  });
  return picture;
};

function setSource(media: HTMLImageElement | HTMLMediaElement, given: string): void {
  const url = safeUrl(given, location.href);
  if (url === undefined) media.removeAttribute("src");
  else if (media.getAttribute("src") !== url) media.setAttribute("src", url);
  media.classList.toggle("broken", url === undefined);
}

const symbol: Make = (props, view) => {
  const box = element("span", "symbol");
  view.bind(() => box.replaceChildren(icon(textOf(own(props, "name"), view))));
  return box;
};

const video: Make = (props, view) => {
  const player = document.createElement("video");
  player.className = "video";
  player.controls = true;
  player.preload = "metadata";
  view.bind(() => setSource(player, textOf(own(props, "url"), view)));
  return player;
};

const audio: Make = (props, view) => {
  const player = document.createElement("audio");
  player.controls = true;
  player.preload = "metadata";
  const caption = element("figcaption", "text-caption");
  view.bind(() => {
    setSource(player, textOf(own(props, "url"), view));
    caption.textContent = textOf(own(props, "description"), view);
  });
  return element("figure", "audio", caption, player);
};

export const content: Readonly<Record<string, Make>> = {
  Text: text,
  Image: image,
  Icon: symbol,
  Video: video,
  AudioPlayer: audio,
};
