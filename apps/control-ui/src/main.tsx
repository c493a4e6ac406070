import { render } from "preact";
import "./style/index.css";
import { startApp } from "./index.ts";

const root = document.getElementById("app");
if (root) {
  const app = startApp();
  // The frame that stood in the page makes room for the real one, in the same frame of the screen.
  root.replaceChildren();
  render(app, root);
}
