/** What can be told from the words of a service's command. Pure. */
import type { ServiceCommand } from "./types.ts";

/** Script a command runs, as far as it can be told from its words. */
export const scriptOf = ({ programArguments }: Pick<ServiceCommand, "programArguments">): string | undefined =>
  programArguments.slice(1).find((word) => !word.startsWith("-") && /[/\\]/u.test(word));

/** `--port` of the words, else the variable. */
export function portOfCommand({ programArguments, environment }: ServiceCommand): number | undefined {
  const at = programArguments.findIndex((word) => word === "--port" || word.startsWith("--port="));
  const word = programArguments[at] ?? "";
  const text = word.includes("=")
    ? word.slice(7)
    : at < 0
      ? environment.OPENCLAW_GATEWAY_PORT
      : programArguments[at + 1];
  const port = /^\d{1,5}$/u.test(text ?? "") ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
