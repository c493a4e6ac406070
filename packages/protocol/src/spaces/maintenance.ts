/** Update and browser control (protocol.md §13.1, §13.13). */
import { Type } from "typebox";
import { method } from "../define.ts";
import {
  anyObject,
  choice,
  closed,
  count,
  json,
  list,
  model,
  nullable,
  num,
  int,
  ok,
  open,
  opt,
  str,
} from "../fields.ts";
import { RestartPlan, RestartSentinel } from "./config.ts";

export const updateRun = method({
  name: "update.run",
  scope: "operator.admin",
  summary: "Says what kind of installation this is and what updates it; changes nothing by itself.",
  rate: { calls: 3, perMs: 60_000 },
  params: closed({
    sessionKey: opt(str),
    note: opt(str),
    restartDelayMs: opt(count),
    timeoutMs: opt(Type.Integer({ minimum: 1 })),
  }),
  result: open({
    ok,
    result: model("UpdateResult", {
      status: choice("ok", "error", "skipped"),
      mode: str,
      root: opt(str),
      before: opt(anyObject),
      after: opt(anyObject),
      reason: opt(str),
      steps: list(
        model("UpdateStep", {
          name: str,
          command: str,
          cwd: str,
          durationMs: num,
          exitCode: nullable(int),
          stdoutTail: opt(nullable(str)),
          stderrTail: opt(nullable(str)),
        }),
      ),
      durationMs: num,
    }),
    restart: nullable(RestartPlan),
    sentinel: RestartSentinel,
  }),
});

export const browserRequest = method({
  name: "browser.request",
  scope: "operator.write",
  summary: "One request to the browser control service, here or on a node.",
  planned: true,
  params: open({
    method: opt(json),
    path: opt(json),
    query: opt(json),
    body: opt(json),
    timeoutMs: opt(json),
  }),
  result: json,
});
