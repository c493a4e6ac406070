/** A job as the form holds it, what is wrong with it, and what goes to the gateway. Pure. The pairing of session and payload is
 *  one choice here, so that one the gateway refuses cannot be made (control-ui.md §8.2). */
import { fromLocalField, inUnits, isTimeZone, momentOf, toLocalField, units, type Job, type Unit } from "./schedule.ts";

export interface JobDraft {
  name: string;
  description: string;
  /** Empty: the gateway's default agent. */
  agentId: string;
  kind: "at" | "every" | "cron";
  /** As `datetime-local` has it. */
  at: string;
  deleteAfterRun: boolean;
  count: string;
  unit: Unit;
  expr: string;
  /** Empty: the gateway's own zone. */
  tz: string;
  /** `main` brings a note into the main session, `isolated` runs a task in a session of its own. */
  target: "main" | "isolated";
  wakeMode: "now" | "next-heartbeat";
  /** The note or the task. */
  text: string;
  timeoutSeconds: string;
  delivery: "announce" | "none" | "webhook";
  channel: string;
  to: string;
}

export type Faults = { [name in keyof JobDraft]?: string | undefined };

/** The last channel somebody wrote from. */
export const lastChannel = "last";
const hourMs = 3_600_000;
const longestAheadMs = 10 * 366 * 86_400_000;

export function newDraft(now: number): JobDraft {
  return {
    name: "",
    description: "",
    agentId: "",
    kind: "every",
    at: toLocalField(Math.ceil((now + hourMs) / hourMs) * hourMs),
    deleteAfterRun: true,
    count: "1",
    unit: "hours",
    expr: "0 9 * * *",
    tz: "",
    target: "isolated",
    wakeMode: "now",
    text: "",
    timeoutSeconds: "",
    delivery: "announce",
    channel: lastChannel,
    to: "",
  };
}

export function draftOf(job: Job, now: number): JobDraft {
  const { schedule, payload, delivery } = job;
  const draft: JobDraft = {
    ...newDraft(now),
    name: job.name,
    description: job.description ?? "",
    agentId: job.agentId ?? "",
    kind: schedule.kind,
    deleteAfterRun: job.deleteAfterRun ?? false,
    target: job.sessionTarget,
    wakeMode: job.wakeMode,
    text: payload.kind === "systemEvent" ? payload.text : payload.message,
  };
  if (schedule.kind === "at") draft.at = toLocalField(momentOf(schedule.at) ?? now);
  else if (schedule.kind === "every") {
    const { count, unit } = inUnits(schedule.everyMs);
    Object.assign(draft, { count: String(count), unit });
  } else Object.assign(draft, { expr: schedule.expr, tz: schedule.tz ?? "" });
  if (payload.kind === "agentTurn") {
    draft.timeoutSeconds = payload.timeoutSeconds === undefined ? "" : String(payload.timeoutSeconds);
    draft.delivery = delivery?.mode ?? (payload.deliver === false ? "none" : "announce");
    draft.channel = delivery?.channel ?? payload.channel ?? lastChannel;
    draft.to = delivery?.to ?? payload.to ?? "";
  }
  return draft;
}

/** What stands beside the fields; empty when the draft can be sent. */
export function faultsOf(draft: JobDraft, now: number): Faults {
  const faults: Faults = {};
  if (draft.name.trim() === "") faults.name = "Give it a name.";
  if (draft.kind === "at") {
    const at = fromLocalField(draft.at);
    if (at === undefined) faults.at = "Enter a date and a time.";
    else if (at <= now) faults.at = "This moment has passed.";
    else if (at > now + longestAheadMs) faults.at = "At most ten years ahead.";
  } else if (draft.kind === "every") {
    const count = Number(draft.count);
    if (draft.count.trim() === "" || !Number.isFinite(count) || count <= 0) faults.count = "Enter a number above zero.";
    else if (!Number.isInteger(count * units[draft.unit])) faults.count = "At least a thousandth of a second.";
  } else {
    const fields = draft.expr.trim().split(/\s+/);
    if (fields.length < 5 || fields.length > 6 || !fields.every((field) => /^[\w*,/?#-]+$/.test(field)))
      faults.expr = "Five fields: minute, hour, day of the month, month, weekday.";
    if (draft.tz.trim() !== "" && !isTimeZone(draft.tz.trim())) faults.tz = "No such time zone.";
  }
  if (draft.text.trim() === "") faults.text = draft.target === "main" ? "Write the note." : "Write what is to be done.";
  if (draft.target === "isolated") {
    const seconds = Number(draft.timeoutSeconds);
    if (draft.timeoutSeconds.trim() !== "" && !(seconds > 0)) faults.timeoutSeconds = "Enter seconds above zero.";
    if (draft.delivery === "announce" && draft.to.trim() !== "" && draft.channel === lastChannel)
      faults.channel = "Choose the channel this address belongs to.";
  }
  return faults;
}

/** What `cron.add` takes. Only for drafts without faults. */
export function toJob(draft: JobDraft) {
  const description = draft.description.trim();
  const timeout = draft.timeoutSeconds.trim();
  return {
    name: draft.name.trim(),
    ...(description === "" ? {} : { description }),
    ...(draft.agentId === "" ? {} : { agentId: draft.agentId }),
    enabled: true,
    schedule: scheduleOf(draft),
    ...(draft.kind === "at" ? { deleteAfterRun: draft.deleteAfterRun } : {}),
    sessionTarget: draft.target,
    wakeMode: draft.wakeMode,
    payload:
      draft.target === "main"
        ? { kind: "systemEvent", text: draft.text }
        : {
            kind: "agentTurn",
            message: draft.text,
            ...(timeout === "" ? {} : { timeoutSeconds: Number(timeout) }),
          },
    ...(draft.target === "isolated" ? { delivery: deliveryOf(draft) } : {}),
  };
}

function scheduleOf({ kind, at, count, unit, expr, tz }: JobDraft): Record<string, unknown> {
  if (kind === "at") return { kind, at: new Date(fromLocalField(at) ?? 0).toISOString() };
  if (kind === "every") return { kind, everyMs: Number(count) * units[unit] };
  return { kind, expr: expr.trim(), ...(tz.trim() === "" ? {} : { tz: tz.trim() }) };
}

function deliveryOf({ delivery, channel, to }: JobDraft): Record<string, unknown> {
  if (delivery !== "announce") return { mode: delivery };
  return { mode: delivery, channel, ...(to.trim() === "" ? {} : { to: to.trim() }) };
}

/** What `cron.update` takes: only what the person changed, so that fields the form does not know stay as they are. */
export function patchOf(before: JobDraft, after: JobDraft): Record<string, unknown> {
  const was: Record<string, unknown> = toJob(before);
  const is: Record<string, unknown> = toJob(after);
  const patch: Record<string, unknown> = {};
  const changed = (name: string) => JSON.stringify(was[name]) !== JSON.stringify(is[name]);
  for (const name of ["name", "schedule", "sessionTarget", "wakeMode", "payload", "deleteAfterRun"])
    if (changed(name) && is[name] !== undefined) patch[name] = is[name];
  if (before.timeoutSeconds !== "" && after.timeoutSeconds.trim() === "" && after.target === "isolated")
    // A payload is merged: what is left out would stay.
    patch.payload = { ...(is.payload as object), timeoutSeconds: null };
  if (changed("agentId")) patch.agentId = is.agentId ?? null;
  if (changed("description")) patch.description = is.description ?? "";
  if (after.target === "isolated" && changed("delivery"))
    // Said empty, or the former address would stay.
    patch.delivery = after.delivery === "announce" ? { to: "", ...deliveryOf(after) } : deliveryOf(after);
  return patch;
}
