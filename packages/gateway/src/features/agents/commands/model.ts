/** /model: shows, lists or chooses the model of a session. */
import { GatewayError } from "@openclaw/protocol";
import type { ModelEntry } from "../../models/index.ts";
import { modelOf } from "../turn.ts";
import type { Command, CommandCall, CommandReply } from "./command.ts";

const shownModels = 30;

const line = (model: ModelEntry, index: number): string =>
  `${index + 1}. ${model.ref}${model.available ? "" : ` (credentials: ${model.auth})`}`;

function show(call: CommandCall): CommandReply {
  const { deps, run, session } = call;
  const chosen = session?.modelOverride ? `${session.providerOverride ?? ""}/${session.modelOverride}` : undefined;
  const fallback = deps.models.defaultModel(run.request.agentId);
  const list = deps.models.list();
  const more =
    list.length > shownModels ? `\n… and ${list.length - shownModels} more; name one as provider/model.` : "";
  return {
    text: `Model: ${chosen ?? fallback.ref}${chosen ? ` (default: ${fallback.ref})` : ""}\n${list.slice(0, shownModels).map(line).join("\n")}${more}\n/model <number or name> chooses, /model default goes back.`,
  };
}

function choose(call: CommandCall): CommandReply {
  const { deps, run, args } = call;
  if (args.toLowerCase() === "default") {
    const write: CommandReply["write"] = (tx) =>
      void deps.sessions.update(tx, run.sessionKey, { providerOverride: undefined, modelOverride: undefined });
    return {
      text: `This session uses the default model again: ${deps.models.defaultModel(run.request.agentId).ref}.`,
      write,
    };
  }
  const numbered = /^\d{1,3}$/.test(args) ? deps.models.list()[Number(args) - 1] : undefined;
  let model: ModelEntry;
  try {
    model = numbered ?? deps.models.resolve(args);
  } catch (error) {
    if (error instanceof GatewayError) return { text: error.message };
    throw error;
  }
  return {
    text: `Model is now ${model.ref} in this session.${model.available ? "" : ` It has no credentials yet: ${model.auth}.`}`,
    write: (tx) => {
      deps.sessions.update(tx, run.sessionKey, { providerOverride: model.provider, modelOverride: model.id });
      deps.sessions.append(tx, run.sessionKey, { type: "model_change", provider: model.provider, modelId: model.id });
    },
  };
}

export const modelCommand: Command = {
  name: "model",
  args: "[name|number|default]",
  summary: "Which model answers.",
  run(call) {
    if (call.args === "" || call.args.toLowerCase() === "list") return show(call);
    if (call.args.toLowerCase() !== "status") return choose(call);
    const model = modelOf(call.deps, call.run.request.agentId, call.session);
    return {
      text: `Model: ${model.ref}\nDialect: ${model.api}\nCredentials: ${model.auth}\nWindow: ${model.contextWindow} tokens`,
    };
  },
};
