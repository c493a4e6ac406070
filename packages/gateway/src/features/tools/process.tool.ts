/** process: background commands of exec (agent.md §4.3). An agent sees only its own. */
import { Type } from "typebox";
import { plainText } from "./output-tail.ts";
import type { ProcessSession } from "./process-session.ts";
import type { Processes } from "./processes.ts";
import { keySequence } from "./terminal-keys.ts";
import { textResult, tool, type Tool, type ToolResult } from "./tool.ts";

const defaultLogLines = 200;
const commandChars = 120;

const params = Type.Object({
  action: Type.Enum(["list", "poll", "log", "write", "send-keys", "submit", "paste", "kill", "clear", "remove"]),
  sessionId: Type.Optional(Type.String({ description: "From exec; needed for every action but list." })),
  data: Type.Optional(Type.String({ description: "What to write." })),
  keys: Type.Optional(
    Type.Array(Type.String(), { maxItems: 200, description: "Keys: enter, tab, esc, ctrl-c, up, f1." }),
  ),
  hex: Type.Optional(Type.Array(Type.String(), { maxItems: 2_000, description: "Bytes in hex, for send-keys." })),
  literal: Type.Optional(Type.String({ description: "Text typed before the keys, for send-keys." })),
  text: Type.Optional(Type.String({ description: "What to paste." })),
  bracketed: Type.Optional(Type.Boolean({ description: "Mark the paste as one; true unless given." })),
  eof: Type.Optional(Type.Boolean({ description: "End the input after writing." })),
  offset: Type.Optional(Type.Integer({ minimum: 0, description: "First line of log, counted from 0." })),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: "Most lines of log." })),
});

export function processTool(options: { processes: Processes }): Tool {
  const { processes } = options;
  return tool({
    name: "process",
    description: "Follow and control commands that exec left running in the background.",
    params,
    effects: true,
    polls: true,
    async run(args, context): Promise<ToolResult> {
      if (args.action === "list") return list(processes.list(context.agentId));
      if (args.sessionId === undefined) throw new Error(`sessionId is needed for ${args.action}; list shows them`);
      const session = processes.get(context.agentId, args.sessionId);
      if (!session?.background) {
        throw new Error(
          `no background command has sessionId ${args.sessionId}. It may have been removed; list shows what there is.`,
        );
      }
      const id = args.sessionId;
      switch (args.action) {
        case "poll":
          return poll(session);
        case "log":
          return log(session, args.offset, args.limit);
        case "write":
          input(session).write(args.data ?? "");
          if (args.eof) input(session).endInput();
          return textResult(
            `Wrote ${Buffer.byteLength(args.data ?? "")} bytes to session ${id}${args.eof ? " and ended its input" : ""}.`,
          );
        case "submit":
          input(session).write(`${args.data ?? ""}${input(session).terminal ? "\r" : "\n"}`);
          return textResult(`Submitted to session ${id}.`);
        case "paste": {
          const text = args.text ?? args.data ?? "";
          const marked = args.bracketed !== false && input(session).terminal;
          input(session).write(marked ? `\u001B[200~${text}\u001B[201~` : text);
          return textResult(`Pasted ${text.length} characters into session ${id}.`);
        }
        case "send-keys": {
          const bytes = keyBytes(args);
          input(session).write(bytes);
          return textResult(`Sent ${bytes.length} bytes to session ${id}.`);
        }
        case "kill":
          if (session.exit) return textResult(`Session ${id} already ${session.status()}.`);
          await processes.end(session);
          return textResult(`Session ${id} was ended.`);
        case "clear":
          session.output.clear();
          session.unread.clear();
          return textResult(`Output of session ${id} was cleared.`);
        case "remove":
          if (!session.exit) await processes.end(session);
          await session.ended;
          processes.forget(session);
          return textResult(`Session ${id} was removed.`);
      }
    },
  });
}

function input(session: ProcessSession) {
  if (!session.child)
    throw new Error(`session ${session.facts.sessionId} ${session.status()}; nothing can be written to it`);
  return session.child;
}

function list(sessions: ProcessSession[]): ToolResult {
  if (sessions.length === 0) return textResult("No background commands.", { sessions: [] });
  const rows = sessions.map((session) => ({
    sessionId: session.facts.sessionId,
    status: session.exit ? "exited" : "running",
    ...(session.exit ? { exitCode: session.exit.exitCode } : { pid: session.pid }),
    startedAt: session.facts.startedAt,
    cwd: session.facts.cwd,
    command: session.facts.command.slice(0, commandChars).toWellFormed(),
  }));
  const text = sessions.map(
    (session, i) => `${session.facts.sessionId}  ${session.status()}  ${rows[i]?.command ?? ""}`,
  );
  return textResult(text.join("\n"), { sessions: rows });
}

function facts(session: ProcessSession) {
  return {
    sessionId: session.facts.sessionId,
    status: session.exit ? "exited" : "running",
    exitCode: session.exit?.exitCode ?? null,
  };
}

function poll(session: ProcessSession): ToolResult {
  const { text, dropped } = session.unread.take();
  const lost = dropped > 0 ? `[${dropped} earlier characters were not kept for poll; log may still have them.]\n` : "";
  const fresh = `${lost}${shown(session, text)}`;
  return textResult(
    `${fresh === "" ? "(no new output)" : fresh}\n\n[Command ${session.exit ? "" : "is "}${session.status()}.]`,
    facts(session),
  );
}

function log(session: ProcessSession, offset: number | undefined, limit = defaultLogLines): ToolResult {
  const lines = shown(session, session.output.text()).replace(/\n$/u, "").split("\n");
  const from = offset ?? Math.max(0, lines.length - limit);
  const page = lines.slice(from, from + limit);
  const lost = session.output.dropped > 0 ? `[${session.output.dropped} earlier characters were not kept.]\n` : "";
  const until = from + page.length;
  const note =
    page.length === lines.length
      ? ""
      : `\n\n[Lines ${from}-${Math.max(from, until - 1)} of ${lines.length}, counted from 0.]`;
  return textResult(`${lost}${page.join("\n")}${note}`, {
    ...facts(session),
    offset: from,
    lines: page.length,
    totalLines: lines.length,
  });
}

const shown = (session: ProcessSession, raw: string): string => (session.terminal ? raw : plainText(raw));

function keyBytes(args: { literal?: string; keys?: string[]; hex?: string[] }): Buffer {
  const parts = [Buffer.from(args.literal ?? "")];
  for (const key of args.keys ?? []) parts.push(Buffer.from(keySequence(key)));
  for (const code of args.hex ?? []) {
    if (!/^(0x)?[0-9a-f]{1,2}$/iu.test(code)) throw new Error(`"${code}" is not a byte in hex`);
    parts.push(Buffer.of(Number.parseInt(code.replace(/^0x/iu, ""), 16)));
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length === 0) throw new Error("send-keys needs keys, hex or literal");
  return bytes;
}
