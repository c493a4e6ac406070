/** The page an empty canvas begins with: it shows whether an app is around it. */
export const testPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Canvas</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: 1rem; text-align: center; padding: 1rem; }
div { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: center; }
button { font: inherit; padding: .5rem 1rem; border-radius: .5rem; border: 1px solid currentColor; background: none; color: inherit; }
</style>
</head>
<body>
<h1>Canvas</h1>
<p id="bridge"></p>
<div>
<button data-action="hello">Hello</button>
<button data-action="time">Time</button>
<button data-action="photo">Photo</button>
<button data-action="dalek">Dalek</button>
</div>
<p id="status" role="status">Replace this page: write index.html into the canvas folder.</p>
<script>
const status = document.getElementById("status");
addEventListener("DOMContentLoaded", () => {
  const app = Boolean(window.webkit?.messageHandlers?.openclawCanvasA2UIAction || window.openclawCanvasA2UIAction);
  document.getElementById("bridge").textContent = app ? "An app is around this page." : "No app is around this page.";
});
for (const button of document.querySelectorAll("button"))
  button.addEventListener("click", () => {
    const name = button.dataset.action;
    const taken = window.openclawSendUserAction?.({ name, surfaceId: "main", sourceComponentId: "test." + name, timestamp: new Date().toISOString() });
    status.textContent = taken ? "Sent: " + name : "Nobody takes actions here.";
  });
addEventListener("openclaw:a2ui-action-status", ({ detail }) => {
  status.textContent = detail.ok ? "Taken." : "Failed: " + (detail.error || "no reason given");
});
</script>
</body>
</html>
`;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For a folder without its index. */
export const missingIndexPage = (path: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Nothing here yet</title><p>Nothing here yet. Write <code>${path.replaceAll(/[&<>"']/g, (sign) => escapes[sign] ?? "")}index.html</code> into the canvas folder.</p>`;
