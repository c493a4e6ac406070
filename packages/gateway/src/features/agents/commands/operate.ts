/** Commands that touch the gateway itself: /restart and /config. Each has a switch in `commands` and answers owners only
 *  (agent.md §9.2). */
import { getIn, parsePath } from "../../../config/index.ts";
import type { Command, CommandCall, CommandReply, GatewayCare } from "./command.ts";

const maxShownChars = 8_000;

/** The means to do it, or why it is not done. */
function allowed({ run, deps, gateway }: CommandCall, name: "restart" | "config"): GatewayCare | string {
  if (!run.request.owner) return `/${name} is only for the owner of this gateway.`;
  if (deps.config.current.commands[name] && gateway.care) return gateway.care;
  return `/${name} is switched off. Set commands.${name}=true in the config to allow it.`;
}

async function restart(call: CommandCall): Promise<CommandReply> {
  const care = allowed(call, "restart");
  if (typeof care === "string") return { text: care };
  await care.restart({ sessionKey: call.run.sessionKey, reason: "/restart" });
  return { text: "The gateway restarts as soon as running turns have ended." };
}

function config(call: CommandCall): CommandReply {
  const care = allowed(call, "config");
  if (typeof care === "string") return { text: care };
  const [action = "show", ...rest] = call.args.split(/\s+/u).filter((word) => word !== "");
  if (action !== "show" && action !== "get")
    return {
      text: "Use /config show [path] or /config get <path>. Changes: openclaw config set, or the gateway tool.",
    };
  const path = rest.join(" ");
  if (action === "get" && path === "") return { text: "Name a path: /config get agents.defaults.model" };
  const { parsed, valid } = care.configGet();
  const value = path === "" ? parsed : getIn(parsed, parsePath(path));
  if (value === undefined) return { text: `${path.slice(0, 200)} is not set in the config file.` };
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const cut = text.length > maxShownChars ? `${text.slice(0, maxShownChars)}\n… (${text.length} characters)` : text;
  return { text: `${path === "" ? "Config" : path}${valid ? "" : " (the file is not valid)"}:\n${cut}` };
}

export const operateCommands: Command[] = [
  { name: "restart", summary: "Restart the gateway (commands.restart).", run: restart },
  {
    name: "config",
    args: "show|get [path]",
    summary: "The config file, secrets hidden (commands.config).",
    run: config,
  },
];
