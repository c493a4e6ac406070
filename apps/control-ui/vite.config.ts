/** How the app is built and served while it is being written. The gateway serves the result; see scripts/build/ui.ts. */
import { defineConfig, type Plugin } from "vite";

/** Everything comes from one origin; the attribute would only make browsers announce it as if it did not. */
const sameOrigin: Plugin = {
  name: "same-origin",
  transformIndexHtml: { order: "post", handler: (html) => html.replaceAll(" crossorigin", "") },
};

/** Chat is where nearly everybody arrives: its chunk is fetched beside the entry instead of after it. */
const chatEarly: Plugin = {
  name: "chat-early",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const chat = Object.values(bundle).find((file) => file.type === "chunk" && file.name === "chat-view");
      if (!chat) return html;
      return [{ tag: "link", attrs: { rel: "modulepreload", href: `./${chat.fileName}` }, injectTo: "head" }];
    },
  },
};

export default defineConfig({
  root: import.meta.dirname,
  // Relative: the gateway may serve the app below any base path.
  base: "./",
  resolve: { conditions: ["openclaw-source", "browser", "module", "import", "default"] },
  define: { CONTROL_UI_VERSION: JSON.stringify("dev") },
  plugins: [chatEarly, sameOrigin],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    port: 5173,
    // `vite dev` beside a running gateway: open the printed address with `?gatewayUrl=ws://127.0.0.1:18789`.
    strictPort: true,
  },
});
