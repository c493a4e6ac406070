import { render } from "preact";
import "./style/index.css";
import { startApp } from "./index.ts";

const root = document.getElementById("app");
if (root) render(startApp(), root);
