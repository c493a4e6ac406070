/** What every page of the canvas gets: the bridge to the app around it, and the reload (canvas-browser-nodes.md §3). */

/** `ticket` opens the reload socket for pages whose origin is hidden by the sandbox of the main port; undefined: no reload. */
export function pageScript(ticket: string | undefined): string {
  return `<script>${bridge}${ticket === undefined ? "" : reload(ticket)}</script>`;
}

/** Before the last `</body>`, else at the end. */
export function withScript(html: string, script: string): string {
  const at = html.toLowerCase().lastIndexOf("</body>");
  return at < 0 ? html + script : html.slice(0, at) + script + html.slice(at);
}

/** Tries the app around the page, Apple's first; a page opened by a capability address may tell the gateway itself. */
const bridge = `(() => {
  const prefix = (/^\\/__openclaw__\\/cap\\/[A-Za-z0-9_-]+(?=\\/__openclaw__\\/)/.exec(location.pathname) || [""])[0];
  const report = (detail) => dispatchEvent(new CustomEvent("openclaw:a2ui-action-status", { detail }));
  const tell = (action) => {
    if (prefix === "" || !action || typeof action !== "object" || typeof fetch !== "function") return false;
    const id = action.id;
    fetch(prefix + "/__openclaw__/action", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ userAction: action }) })
      .then((answer) => (answer.ok ? report({ id, ok: true }) : answer.text().then((error) => report({ id, ok: false, error: error.slice(0, 200) }))))
      .catch(() => report({ id, ok: false, error: "the gateway did not answer" }));
    return true;
  };
  const postMessage = (payload) => {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    const apple = window.webkit && window.webkit.messageHandlers && window.webkit.messageHandlers.openclawCanvasA2UIAction;
    if (apple && typeof apple.postMessage === "function") { apple.postMessage(text); return true; }
    const android = window.openclawCanvasA2UIAction;
    if (android && typeof android.postMessage === "function") { android.postMessage(text); return true; }
    return tell(payload && payload.userAction);
  };
  const newId = () => (crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""));
  const sendUserAction = (action) => {
    const given = action && typeof action.id === "string" ? action.id.trim() : "";
    return postMessage({ userAction: { ...action, id: given || newId() } });
  };
  window.OpenClaw = Object.assign(window.OpenClaw || {}, { postMessage, sendUserAction });
  window.openclawPostMessage = postMessage;
  window.openclawSendUserAction = sendUserAction;
})();`;

const reload = (ticket: string): string => `(() => {
  const prefix = (/^\\/__openclaw__\\/cap\\/[A-Za-z0-9_-]+(?=\\/__openclaw__\\/)/.exec(location.pathname) || [""])[0];
  let wait = 500;
  const connect = () => {
    const socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + prefix + "/__openclaw__/ws?page=${ticket}");
    socket.onopen = () => { wait = 500; };
    socket.onmessage = (event) => { if (event.data === "reload") location.reload(); };
    socket.onclose = () => { setTimeout(connect, wait); wait = Math.min(wait * 2, 30000); };
  };
  connect();
})();`;
