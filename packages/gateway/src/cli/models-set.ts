/** `models set <model>`: edits `agents.defaults.model.primary`, and the allow list when there is one. */
import { locateConfig } from "../config/locate.ts";
import { displayPath } from "../kernel/paths.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { record, textOf } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

export async function run(context: Context): Promise<number> {
  const { io } = context;
  const config = await locateConfig(io);
  const defaults = record(record(config.document.agents).defaults);
  const allowed = record(defaults.models);
  const model = resolveAlias(context.arguments[0] ?? "", allowed);
  const base = ["agents", "defaults"];
  // The short form `model: "a/b"` has no place for `primary`; it is replaced as a whole.
  const short = typeof defaults.model === "string";
  const edits = [
    short
      ? { path: [...base, "model"], value: { primary: model } }
      : { path: [...base, "model", "primary"], value: model },
  ];
  const { editConfigFile } = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  const allowEdit = { path: [...base, "models", model], value: {} };
  const listed = Object.keys(allowed).length === 0 || Object.hasOwn(allowed, model);
  const { path } = await editConfigFile(
    config.path,
    listed ? edits : [...edits, allowEdit],
    await io.world(),
    declared,
  );
  context.print(`Updated ${displayPath(path, io)}.`, `Default model: ${model}`);
  return 0;
}

function resolveAlias(text: string, allowed: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(allowed).find(([, entry]) => textOf(record(entry).alias) === text);
  const model = named ? named[0] : text.trim();
  if (!/^[^\s/]+\/\S+$/.test(model)) {
    throw new CommandError(`Unknown model "${clean(text)}": name it provider/model. See openclaw models list`);
  }
  return model;
}
