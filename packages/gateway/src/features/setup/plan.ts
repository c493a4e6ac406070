/** From what was said to what is written. Nothing is written before the last step, and then once. */
import type { Edit } from "../../config/index.ts";
import type { Draft } from "./draft.ts";
import type { Facts, SetupPorts } from "./ports.ts";

export interface Plan {
  edits: Edit[];
  /** Start from an empty file. The old text stays in the history. */
  reset: boolean;
  /** The text the person was shown; only checked when it is replaced. */
  baseHash: string;
  /** Key of a model provider. */
  key?: { provider: string; name: string; value: string };
  /** Folder to create with its first files. */
  workspace?: string;
}

export function planOf(draft: Draft, facts: Facts, ports: Pick<SetupPorts, "newToken">): Plan {
  const reset = draft.existing === "reset";
  const present = reset ? { hasToken: false, hasPassword: false, shortModel: false, allowed: [] } : facts.present;
  const edits: Edit[] = [];
  const set = (path: string, value: unknown, now?: unknown) => {
    if (value !== undefined && value !== now) edits.push({ path: path.split("."), value });
  };
  const first = draft.command === "onboard";
  const mode = draft.mode ?? present.mode ?? (first ? "local" : undefined);
  set("gateway.mode", mode, present.mode);
  set("gateway.remote.url", draft.remoteUrl, present.remoteUrl);
  set("gateway.remote.token", draft.remoteToken || undefined);

  const local = mode !== "remote";
  const workspace = draft.workspace ?? present.workspace ?? (first && local ? facts.defaultWorkspace : undefined);
  set("agents.defaults.workspace", workspace, present.workspace);
  if (draft.model !== undefined) modelEdits(draft.model, present, edits);

  set("gateway.port", draft.port, present.port ?? 18_789);
  set("gateway.bind", draft.bind, present.bind ?? "loopback");
  set("gateway.tailscale.mode", draft.tailscale, present.tailscale ?? "off");
  set("gateway.tailscale.resetOnExit", draft.tailscaleReset);
  set("gateway.auth.password", draft.password || undefined);
  set("gateway.auth.token", draft.token || undefined);
  const auth = draft.auth ?? present.authMode ?? (present.hasPassword && !present.hasToken ? "password" : "token");
  if (draft.auth !== undefined || (first && local)) {
    set("gateway.auth.mode", auth, present.authMode ?? (draft.auth === undefined ? auth : undefined));
    if (auth === "token" && !draft.token && !present.hasToken && !facts.tokenInEnv)
      set("gateway.auth.token", ports.newToken());
  }

  const provider = facts.providers.find(({ id }) => id === draft.provider);
  return {
    edits,
    reset,
    baseHash: facts.hash,
    ...(draft.key && provider?.keyName
      ? { key: { provider: provider.id, name: provider.keyName, value: draft.key } }
      : {}),
    ...(workspace !== undefined && local ? { workspace } : {}),
  };
}

function modelEdits(model: string, present: Pick<Facts["present"], "model" | "shortModel" | "allowed">, edits: Edit[]) {
  const base = ["agents", "defaults"];
  if (model !== present.model) {
    // The short form `model: "a/b"` has no place for `primary`; it is replaced as a whole.
    edits.push(
      present.shortModel
        ? { path: [...base, "model"], value: { primary: model } }
        : { path: [...base, "model", "primary"], value: model },
    );
  }
  if (present.allowed.length > 0 && !present.allowed.includes(model))
    edits.push({ path: [...base, "models", model], value: {} });
}
