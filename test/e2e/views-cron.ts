/** Jobs on a schedule: control-ui.md §8.2 and §17, case 25. The gateway's own jobs may not be built yet: the methods are lent. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { findings } from "./axe.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { lendMethods, Refused, type Answer, type Lender } from "./lent-methods.ts";

type Job = Record<string, unknown> & { id: string; name: string; enabled: boolean; state: Record<string, unknown> };

/** Jobs in memory, refusing what protocol.md §13.12 refuses. */
function scriptedJobs(lender: () => Lender) {
  const jobs: Job[] = [];
  const runs: Record<string, unknown>[] = [];
  let made = 0;
  const find = ({ id }: Record<string, unknown>): Job => {
    const job = jobs.find((candidate) => candidate.id === id);
    if (!job) throw new Refused(`Error: unknown cron job id: ${String(id)}`, "UNAVAILABLE");
    return job;
  };
  const pair = (job: Record<string, unknown>) => {
    const kind = (job.payload as { kind: string }).kind;
    const needed = job.sessionTarget === "main" ? "systemEvent" : "agentTurn";
    if (kind !== needed)
      throw new Refused(
        `Error: ${String(job.sessionTarget)} cron jobs require payload.kind="${needed}"`,
        "UNAVAILABLE",
      );
  };
  const tell = (jobId: string, action: string, more = {}) => lender().push("cron", { jobId, action, ...more });
  const methods: Record<string, Answer> = {
    "cron.status": () => ({ enabled: true, storePath: "openclaw.db", jobs: jobs.length, nextWakeAtMs: null }),
    "cron.list": () => ({ jobs: structuredClone(jobs) }),
    "cron.add": (draft) => {
      pair(draft);
      made += 1;
      const now = Date.now();
      const job = {
        ...draft,
        id: `job-${made}`,
        createdAtMs: now,
        updatedAtMs: now,
        state: { nextRunAtMs: now + 9e5 },
      };
      jobs.push(job as unknown as Job);
      tell(job.id, "added");
      return job;
    },
    "cron.update": (params) => {
      const job = find(params);
      const patch = params.patch as Record<string, unknown>;
      pair({ ...job, ...patch });
      Object.assign(job, patch);
      tell(job.id, "updated");
      return job;
    },
    "cron.remove": (params) => {
      const job = find(params);
      jobs.splice(jobs.indexOf(job), 1);
      tell(job.id, "removed");
      return { ok: true, removed: true };
    },
    "cron.run": (params) => {
      const job = find(params);
      const at = Date.now();
      const failed = runs.length > 0;
      const entry = {
        ts: at,
        jobId: job.id,
        action: "finished",
        runAtMs: at,
        durationMs: 1_250,
        ...(failed
          ? { status: "error", error: "No model is configured." }
          : { status: "ok", summary: "Sunny.", sessionKey: "agent:main:cron:x" }),
      };
      runs.push(entry);
      job.state = {
        ...job.state,
        lastRunAtMs: at,
        lastStatus: entry.status,
        lastDurationMs: 1_250,
        ...(failed ? { lastError: "No model is configured.", consecutiveErrors: 1 } : {}),
      };
      tell(job.id, "finished", { status: entry.status });
      return { ok: true, ran: true };
    },
    "cron.runs": ({ id }) => ({ entries: runs.filter(({ jobId }) => jobId === id) }),
  };
  return { jobs, methods };
}

export function cronViewCases(): void {
  let gateway: TestGateway;
  let visit: Visit;
  let page: Page;
  let lender: Lender;
  const script = scriptedJobs(() => lender);
  beforeAll(async () => {
    gateway = await openGateway();
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    lender = await lendMethods(page, script.methods);
    await enter(visit, gateway.httpUrl, "/cron");
  });
  afterAll(async () => {
    await visit.close();
    await gateway.stop();
  });
  const dialog = () => page.getByRole("dialog");
  const job = (name: string) => page.getByRole("listitem", { name, exact: true });
  const begin = async (name: string) => {
    await page.getByRole("button", { name: "New job" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill(name);
  };
  const pick = (label: string) => dialog().locator("label", { hasText: label }).click();
  const add = () => dialog().getByRole("button", { name: "Add job" }).click();
  const act = async (name: string, action: string) => {
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  const sent = (method: string) => lender.calls.findLast((call) => call.method === method)?.params;

  test("an empty list says what a job is good for", async () => {
    await page.getByRole("heading", { name: "No job yet" }).waitFor();
  });

  test("a job that repeats, with its answer sent somewhere, is added and listed [25]", async () => {
    await begin("Weather");
    await dialog().getByLabel("Every", { exact: true }).fill("90");
    await dialog().getByLabel("Unit").selectOption("minutes");
    await dialog().getByLabel("Task", { exact: true }).fill("Look up the weather.");
    await dialog().getByLabel("Time limit in seconds").fill("30");
    await add();
    await job("Weather").getByText("every 90 minutes").waitFor();
    expect(sent("cron.add")).toEqual({
      name: "Weather",
      enabled: true,
      schedule: { kind: "every", everyMs: 5_400_000 },
      sessionTarget: "isolated",
      wakeMode: "now",
      payload: { kind: "agentTurn", message: "Look up the weather.", timeoutSeconds: 30 },
      delivery: { mode: "announce", channel: "last" },
    });
  });

  test("a note for one moment is added, in the time zone of the browser [25]", async () => {
    await begin("Call Ann");
    await pick("Once");
    await dialog().getByLabel("Date and time").fill("2031-03-01T08:30");
    await pick("A note to the main session");
    await dialog().getByLabel("Note", { exact: true }).fill("Call Ann about March.");
    await add();
    await job("Call Ann")
      .getByText(/^once, 1 Mar 2031/)
      .waitFor();
    expect(sent("cron.add")).toMatchObject({
      schedule: { kind: "at", at: await page.evaluate(() => new Date("2031-03-01T08:30").toISOString()) },
      deleteAfterRun: true,
      sessionTarget: "main",
      payload: { kind: "systemEvent", text: "Call Ann about March." },
    });
  });

  test("a job by the calendar, in a time zone of its own, is added [25]", async () => {
    await begin("Report");
    await pick("By the calendar");
    await dialog().getByLabel("Expression").fill("0 9 * * 1-5");
    await dialog().getByText("Runs on weekdays at 09:00.").waitFor();
    await dialog().getByLabel("Time zone").fill("Europe/Berlin");
    await dialog().getByLabel("Task", { exact: true }).fill("Write the report.");
    await add();
    await job("Report").getByText("on weekdays at 09:00").waitFor();
    expect(sent("cron.add")).toMatchObject({ schedule: { kind: "cron", expr: "0 9 * * 1-5", tz: "Europe/Berlin" } });
  });

  test("what is missing or impossible is told beside its field, nothing is sent, and the first fault has the focus", async () => {
    const before = lender.calls.length;
    await begin("");
    await pick("By the calendar");
    await dialog().getByLabel("Expression").fill("every day");
    await add();
    await dialog().getByText("Give it a name.").waitFor();
    await dialog().getByText("Five fields:").waitFor();
    await dialog().getByText("Write what is to be done.").waitFor();
    expect(await dialog().getByLabel("Name", { exact: true }).getAttribute("aria-invalid")).toBe("true");
    await expect.poll(() => page.evaluate("document.activeElement.labels?.[0]?.textContent")).toBe("Name");
    await pick("Once");
    await dialog().getByLabel("Date and time").fill("2020-01-01T00:00");
    await dialog().getByText("This moment has passed.").waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    expect(lender.calls.slice(before).filter(({ method }) => method === "cron.add")).toEqual([]);
  });

  test("the payload follows the session, so that no pairing is sent that the gateway refuses [25]", async () => {
    await act("Weather", "Change…");
    await pick("A note to the main session");
    await dialog().getByRole("button", { name: "Save" }).click();
    await job("Weather").getByText("A note to the main session, at once").waitFor();
    expect(sent("cron.update")).toEqual({
      id: "job-1",
      patch: { sessionTarget: "main", payload: { kind: "systemEvent", text: "Look up the weather." } },
    });
    await act("Weather", "Change…");
    await pick("A task in its own session");
    await dialog().getByRole("button", { name: "Save" }).click();
    await job("Weather")
      .getByText(/A task in its own session/)
      .waitFor();
  });

  test("an edit sends only what was changed", async () => {
    await act("Report", "Change…");
    const save = dialog().getByRole("button", { name: "Save" });
    expect(await save.isDisabled()).toBe(true);
    await dialog().getByLabel("Name", { exact: true }).fill("Morning report");
    await save.click();
    await job("Morning report").waitFor();
    expect(sent("cron.update")).toEqual({ id: "job-3", patch: { name: "Morning report" } });
  });

  test("a job is switched off and on [25]", async () => {
    const on = job("Weather").getByRole("switch", { name: "Active" });
    await on.uncheck();
    await job("Weather").getByText("off", { exact: true }).waitFor();
    expect(sent("cron.update")).toEqual({ id: "job-1", patch: { enabled: false } });
    await on.check();
    await job("Weather").getByText("off", { exact: true }).waitFor({ state: "detached" });
  });

  test("run now runs it; how it went stands on the card and in the list of past runs [25]", async () => {
    await job("Weather").getByRole("button", { name: "Run now" }).click();
    await job("Weather").getByText("went well").waitFor();
    expect(sent("cron.run")).toEqual({ id: "job-1", mode: "force" });
    await job("Weather").getByRole("button", { name: "Run now" }).click();
    await job("Weather").getByText("The last run failed. No model is configured.").waitFor();
    await act("Weather", "Past runs");
    const entries = dialog().getByRole("listitem");
    await entries.nth(1).getByText("Sunny.").waitFor();
    await entries.nth(0).getByText("No model is configured.").waitFor();
    expect(await dialog().getByRole("link", { name: "Open its session" }).getAttribute("href")).toBe(
      "/chat/agent:main:cron:x",
    );
    await page.keyboard.press("Escape");
  });

  test("removing asks with the name, and Cancel keeps the job", async () => {
    await act("Call Ann", "Remove…");
    await page.getByRole("heading", { name: "Remove Call Ann?" }).waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    expect(sent("cron.remove")).toBeUndefined();
    await act("Call Ann", "Remove…");
    await dialog().getByRole("button", { name: "Remove job" }).click();
    await job("Call Ann").waitFor({ state: "detached" });
  });

  test("a job that another client changes changes here", async () => {
    const [first] = script.jobs;
    if (first) first.name = "<b>Weather</b>";
    lender.push("cron", { jobId: "job-1", action: "updated" });
    await page.getByRole("heading", { name: "<b>Weather</b>" }).waitFor();
    if (first) first.name = "Weather";
  });

  test("axe finds nothing serious in list and form, in both themes, and both fit a phone [34, 35]", async () => {
    const wide = "document.documentElement.scrollWidth - innerWidth";
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findings(page)).toEqual([]);
      await page.getByRole("button", { name: "New job" }).click();
      await add();
      await dialog().getByText("Give it a name.").waitFor();
      expect(await findings(page)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await dialog().evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
      await dialog().getByRole("button", { name: "Cancel" }).click();
      expect(await page.evaluate(wide)).toBe(0);
      await page.setViewportSize({ width: 1280, height: 800 });
    }
    await page.emulateMedia({ colorScheme: "light" });
  });

  test("the overview counts the jobs and leads to them", async () => {
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.getByRole("link", { name: `${script.jobs.length} jobs`, exact: true }).click();
    await page.getByRole("heading", { name: "Cron", level: 1 }).waitFor();
    await job("Weather").waitFor();
  });

  test("what the gateway refuses is told where it was asked for", async () => {
    await act("Morning report", "Change…");
    await dialog().getByLabel("Name", { exact: true }).fill("Evening report");
    script.jobs.length = 0;
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().getByText("Error: unknown cron job id: job-3.").waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
  });

  test("both sides kept to the contract", () => {
    expect(lender.faults).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test("a gateway without the methods does not name the view, and says so where it is opened by its address", async () => {
    const plain = await openVisit(gateway.httpUrl);
    try {
      await plain.page.routeWebSocket(/^ws:/, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((text) => socket.send(String(text).replaceAll(/"(cron|exec\.approvals?)\.\w+",/g, "")));
      });
      await enter(plain, gateway.httpUrl, "/cron");
      await plain.page.getByRole("heading", { name: "This gateway does not offer Cron yet" }).waitFor();
      expect(await plain.page.getByRole("link", { name: "Cron", exact: true }).count()).toBe(0);
      // Nor does it come up for a moment when the page is opened again.
      await plain.page.addInitScript({
        content:
          "new MutationObserver(() => { if (document.querySelector('nav a[href$=\"/cron\"]')) globalThis.sawCron = true; }).observe(document, { childList: true, subtree: true })",
      });
      await plain.page.goto(`${gateway.httpUrl}/nodes`);
      await connected(plain.page);
      await plain.page.getByText("this browser").waitFor();
      expect(await plain.page.getByRole("heading", { name: "Which commands may run" }).count()).toBe(0);
      expect(await plain.page.evaluate("globalThis.sawCron")).toBeUndefined();
    } finally {
      await plain.close();
    }
  });
}
