/** The verdict over a channel soak. What the platforms and the model provider saw decides; the gateway's tables are asked only for
 *  what nobody outside can know (which sends are of unknown fate, which runs were given up), and compared at the end. */
import { type Numbered, type PlatformLedger, type Said, answered } from "./channels-crowd.ts";
import type { Tables } from "./channels-tables.ts";
import type { Asked } from "./channels-world.ts";

export interface Evidence {
  messages: ReadonlyMap<number, Numbered>;
  ledgers: ReadonlyMap<Numbered["platform"], PlatformLedger>;
  asked: readonly Asked[];
  odd: readonly string[];
  tables: Tables;
  /** When processes died, ms since the epoch, and how late a busy machine had been just before. */
  deaths: readonly { at: number; lagMs: number }[];
  /** Rows that were `attempting` at each death, by platform. */
  inFlight: ReadonlyMap<string, number>;
  /** A result that came longer than this before the death must have been stored, on a machine that is never late. */
  storeWithinMs: number;
}

/** A run is tried so often before the person is told to send again. */
const maxAttempts = 3;

export function judge(evidence: Evidence): string[] {
  const violations = [...evidence.odd];
  judgeTurns(evidence, violations);
  for (const [platform, ledger] of evidence.ledgers) {
    violations.push(...ledger.violations);
    judgeReplies(platform, ledger, evidence, violations);
  }
  judgeTables(evidence, violations);
  return violations;
}

/** Every acknowledged message is one turn, and the turns of a chat are in order. */
function judgeTurns({ messages, ledgers, asked, tables }: Evidence, violations: string[]): void {
  const byNumber = Map.groupBy(asked, ({ n }) => n);
  const lastFirst = new Map<string, number>();
  const begun = new Set<number>();
  const story = (n: number) =>
    `row ${tables.inbound.get(n)?.[0]?.id}, processes ${(byNumber.get(n) ?? []).map(({ life }) => life).join(" ")}`;
  for (const { n } of asked) {
    const message = messages.get(n);
    if (!message) violations.push(`a turn for #${n}, which nobody wrote`);
    if (!message || begun.has(n)) continue;
    begun.add(n);
    const chat = `${message.platform} ${message.chat}`;
    const before = lastFirst.get(chat);
    if (before !== undefined && before > n)
      violations.push(`${chat}: #${n} (${story(n)}) was asked after #${before} (${story(before)})`);
    lastFirst.set(chat, n);
  }
  for (const { n, platform } of messages.values()) {
    const name = `${platform} #${n}`;
    const turns = byNumber.get(n) ?? [];
    if (ledgers.get(platform)?.acknowledged.has(n) !== true) violations.push(`${name}: never acknowledged`);
    else if (turns.length === 0 && !givenUp(n, tables)) violations.push(`${name}: acknowledged, never a turn`);
    const lives = new Set(turns.map(({ life }) => life));
    if (lives.size !== turns.length) violations.push(`${name}: asked twice by one process (${turns.length} requests)`);
    if (lives.size > maxAttempts) violations.push(`${name}: asked by ${lives.size} processes`);
    for (const { times } of turns) if (times !== 1) violations.push(`${name}: ${times} times in its transcript`);
  }
}

/** At most one answer each, exactly one unless its fate is unknown, in order. */
function judgeReplies(
  platform: Numbered["platform"],
  { said }: PlatformLedger,
  { messages, tables, deaths, inFlight, storeWithinMs }: Evidence,
  violations: string[],
): void {
  const answers = new Map<number, Said>();
  const last = new Map<string, number>();
  let notices = 0;
  for (const one of said) {
    const n = answered(one.text);
    if (n === undefined) {
      notices++;
      if (!tables.outbox.some(({ kind, text }) => kind === "notice" && text === one.text))
        violations.push(`${platform}: nobody ordered "${one.text.slice(0, 100)}"`);
      continue;
    }
    const message = messages.get(n);
    if (!message || message.silent) violations.push(`${platform}: an answer to #${n} that nobody gave`);
    else if (message.chat !== one.chat) violations.push(`${platform} #${n}: answered in ${one.chat}`);
    if (answers.has(n)) violations.push(`${platform} #${n}: answered twice (ids ${answers.get(n)?.id}, ${one.id})`);
    answers.set(n, one);
    const before = last.get(one.chat);
    if (before !== undefined && before > n) violations.push(`${platform} ${one.chat}: #${n} answered after #${before}`);
    last.set(one.chat, n);
  }
  for (const message of messages.values()) {
    if (message.platform !== platform || message.silent || answers.has(message.n)) continue;
    const rows = tables.answers.get(message.n) ?? [];
    if (rows.some(({ state }) => state === "unknown") || givenUp(message.n, tables)) continue;
    violations.push(
      `${platform} #${message.n}: no answer (row ${rows.map(({ state }) => state).join(", ") || "missing"})`,
    );
  }
  const unknown = tables.outbox.filter((row) => row.platform === platform && row.state === "unknown");
  const most = inFlight.get(platform) ?? 0;
  if (unknown.length > most)
    violations.push(`${platform}: ${unknown.length} sends of unknown fate, ${most} were on their way at the kills`);
  for (const { text } of unknown) {
    const one = answers.get(answered(text) ?? 0);
    if (one && !deaths.some(({ at, lagMs }) => at - one.at < storeWithinMs + 10 * lagMs && at >= one.at - 5))
      violations.push(`${platform}: "${text}" arrived long before a kill, and its fate is unknown`);
  }
  const ordered = tables.outbox.filter((row) => row.platform === platform && row.kind === "notice").length;
  if (notices > ordered) violations.push(`${platform}: ${notices} notices, ${ordered} in the outbox`);
}

/** The run of the message was cut off too often; the person was told. */
function givenUp(n: number, { inbound, runs, outbox }: Tables): boolean {
  const run = inbound.get(n)?.[0]?.run;
  if (run === undefined || run === null) return false;
  const { state, attempts = 0 } = runs.get(run) ?? {};
  const told = outbox.some((row) => row.run === run && row.kind === "notice");
  return state === "interrupted" && attempts >= maxAttempts && told;
}

/** What the gateway wrote down agrees. */
function judgeTables({ messages, tables }: Evidence, violations: string[]): void {
  if (tables.integrity !== "ok") violations.push(`integrity_check: ${tables.integrity}`);
  if (tables.strays > 0) violations.push(`${tables.strays} stored messages that nobody wrote`);
  for (const { n, platform, silent } of messages.values()) {
    const rows = tables.inbound.get(n) ?? [];
    if (rows.length !== 1) violations.push(`${platform} #${n}: stored ${rows.length} times`);
    for (const { state, run } of rows) {
      const expected = givenUp(n, tables) ? ["quarantined", "noticed"] : [silent ? "silent" : "answered"];
      if (!expected.includes(state)) violations.push(`${platform} #${n}: ended as ${state}`);
      if (run === null) violations.push(`${platform} #${n}: names no run`);
    }
    if ((tables.answers.get(n) ?? []).length > 1) violations.push(`${platform} #${n}: several answers in the outbox`);
  }
  for (const { text, state } of tables.outbox)
    if (state === "queued" || state === "attempting" || state === "failed")
      violations.push(`a send is ${state} after all: ${text.slice(0, 80)}`);
  for (const [id, { state }] of tables.runs)
    if (state !== "ok" && state !== "interrupted") violations.push(`run ${id} ended as ${state}`);
}
