/** Commands that ask for leave to run: control-ui.md §9.5, §12 and §17, case 32. The methods are lent: see `lendMethods`. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { findings } from "./axe.ts";
import { connected, enter, openVisit, type Visit } from "./browser.ts";
import { lendMethods, Refused, type Lender } from "./lent-methods.ts";

interface Rules {
  version: 1;
  defaults?: Record<string, unknown>;
  agents?: Record<string, Record<string, unknown>>;
}

export function approvalCases(): void {
  let gateway: TestGateway;
  let visit: Visit;
  let page: Page;
  let lender: Lender;
  const pending = new Set<string>();
  let rules: Rules = {
    version: 1,
    defaults: { security: "allowlist" },
    agents: { main: { allowlist: [{ pattern: "/usr/bin/rg", lastUsedAt: Date.now(), lastUsedCommand: "rg todo" }] } },
  };
  let hash = "hash-1";
  const snapshot = () => ({ path: "/home/ann/.openclaw/exec-approvals.json", exists: true, hash, file: rules });
  beforeAll(async () => {
    gateway = await openGateway();
    visit = await openVisit(gateway.httpUrl);
    page = visit.page;
    lender = await lendMethods(page, {
      "exec.approval.resolve": ({ id, decision }) => {
        if (!pending.delete(String(id))) throw new Refused("unknown approval id");
        lender.push("exec.approval.resolved", { id, decision, resolvedBy: "Control UI", ts: Date.now() });
        return { ok: true };
      },
      "exec.approvals.get": snapshot,
      "exec.approvals.set": ({ file, baseHash }) => {
        if (baseHash !== hash)
          throw new Refused("exec approvals changed since last load; re-run exec.approvals.get and retry");
        rules = file as Rules;
        hash = `${hash}+`;
        return snapshot();
      },
    });
    await enter(visit, gateway.httpUrl);
  });
  afterAll(async () => {
    await visit.close();
    await gateway.stop();
  });
  afterEach(async () => {
    // Whatever a case left waiting is decided elsewhere, as another client would.
    for (const id of pending) lender.push("exec.approval.resolved", { id, decision: "deny", ts: Date.now() });
    pending.clear();
    await question().waitFor({ state: "detached" });
  });
  const question = () => page.getByRole("dialog", { name: "May this command run?" });
  const press = (name: string) => question().getByRole("button", { name, exact: true }).click();
  const ask = (id: string, command: string, more: { forMs?: number; ask?: string | null } = {}) => {
    const { forMs = 120_000, ask: when = "on-miss" } = more;
    // The gateway's clock is an hour ahead: what counts is the time between the two.
    const createdAtMs = Date.now() + 3_600_000;
    pending.add(id);
    lender.push("exec.approval.requested", {
      id,
      request: {
        command,
        cwd: "/home/ann/work",
        host: "gateway",
        security: "allowlist",
        ask: when,
        agentId: "main",
        resolvedPath: "/usr/bin/git",
        sessionKey: "agent:main:main",
      },
      createdAtMs,
      expiresAtMs: createdAtMs + forMs,
    });
  };
  const decisions = () =>
    lender.calls.filter(({ method }) => method === "exec.approval.resolve").map(({ params }) => params);
  const since = (before: number) => decisions().slice(before);

  test.each([
    ["Allow once", "allow-once"],
    ["Always allow", "allow-always"],
    ["Deny", "deny"],
  ])("%s decides, and the question goes [32]", async (name, decision) => {
    const before = decisions().length;
    ask(decision, "git push --force");
    await question().getByText("git push --force").waitFor();
    for (const fact of ["/home/ann/work", "/usr/bin/git", "agent:main:main", "allowlist, ask on-miss"])
      await question().getByText(fact, { exact: true }).waitFor();
    await press(name);
    await question().waitFor({ state: "detached" });
    expect(since(before)).toEqual([{ id: decision, decision }]);
  });

  test("Enter, Space or Esc on the open question allow nothing; put aside, a line leads back to it [32]", async () => {
    const before = decisions().length;
    ask("enter", "git fetch");
    await question().waitFor();
    for (const key of ["Enter", "Space"]) await page.keyboard.press(key);
    expect(await page.evaluate("document.activeElement.tagName")).toBe("PRE");
    await page.keyboard.press("Escape");
    await page.getByText("A command waits for your decision.").first().waitFor();
    await question().waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Review" }).click();
    await question().getByText("git fetch").waitFor();
    expect(since(before)).toEqual([]);
  });

  test("of two the first is asked first; a double press decides one of them only [32]", async () => {
    const before = decisions().length;
    ask("one", "echo one");
    await question().getByText("echo one").waitFor();
    ask("two", "echo two");
    await question().getByText("1 more command waits").waitFor();
    await question().getByRole("button", { name: "Allow once" }).dblclick();
    await question().getByText("echo two").waitFor();
    expect(since(before)).toEqual([{ id: "one", decision: "allow-once" }]);
    await press("Deny");
    await question().waitFor({ state: "detached" });
    expect(since(before).at(-1)).toEqual({ id: "two", decision: "deny" });
  });

  test("what cannot be seen is shown by its code, and nothing is read from right to left [32]", async () => {
    ask("bidi", "rm -rf ./\u202egpj.\u2066tmp\u2069 \u200b&& echo <b>ok</b>\nshutdown");
    const command = question().getByLabel("The command");
    expect(await command.innerText()).toBe("rm -rf ./U+202Egpj.U+2066tmpU+2069 U+200B&& echo <b>ok</b>↵\nshutdown");
    expect(await command.locator("b").count()).toBe(0);
    expect(await command.locator("mark").first().getAttribute("title")).toBe("U+202E right-to-left override");
    await question().getByText("It holds characters that cannot be seen").waitFor();
    await question()
      .getByText(/^2 lines, \d+ characters$/)
      .waitFor();
  });

  test("the time runs down, and a question whose time is over goes without a decision [32]", async () => {
    const before = decisions().length;
    ask("late", "git gc", { forMs: 2_500 });
    await question()
      .getByText(/Waits for [123] s,/)
      .waitFor();
    await page.getByText("Nobody decided in time: git gc").waitFor();
    expect(await question().count()).toBe(0);
    expect(since(before)).toEqual([]);
    pending.delete("late");
  });

  test("a question that was decided elsewhere goes, and says by whom", async () => {
    ask("other", "git tag v1");
    await question().waitFor();
    pending.delete("other");
    lender.push("exec.approval.resolved", { id: "other", decision: "allow-once", resolvedBy: "Phone", ts: Date.now() });
    await page.getByText("Allowed by Phone: git tag v1").waitFor();
    expect(await question().count()).toBe(0);
  });

  test("a refused decision stays in the question and says why [32]", async () => {
    ask("gone", "git status");
    await question().waitFor();
    pending.delete("gone");
    await press("Allow once");
    await question().getByText("The gateway no longer waits for this").waitFor();
    await question().locator(".approval-actions").getByRole("button", { name: "Close" }).click();
    await question().waitFor({ state: "detached" });
  });

  test("a command that is asked about every time offers no standing leave", async () => {
    ask("always", "sudo true", { ask: "always" });
    await question().getByText("sudo true").waitFor();
    expect(await question().getByRole("button", { name: "Always allow" }).count()).toBe(0);
  });

  test("axe finds nothing serious in the question, in both themes, and it fits a phone [34, 35]", async () => {
    ask("axe", `git commit -m "${"word ".repeat(80)}"`);
    await question().waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findings(page)).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await question().evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test("the rules are edited for one agent and saved with the hash they were read with", async () => {
    await page.goto(`${gateway.httpUrl}/nodes`);
    await connected(page);
    await page.getByRole("group", { name: "Rules for" }).getByRole("button", { name: "main" }).click();
    await page.getByText("/usr/bin/rg").waitFor();
    await page.getByText("rg todo").waitFor();
    await page.getByLabel("Asking").selectOption("always");
    await page.getByLabel("Add a program").fill("git");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("names alone never match").waitFor();
    await page.getByLabel("Add a program").fill("**/git");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Take /usr/bin/rg off the list" }).click();
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("The rules for commands are saved.").waitFor();
    expect(rules).toEqual({
      version: 1,
      defaults: { security: "allowlist" },
      agents: { main: { ask: "always", allowlist: [{ pattern: "**/git" }] } },
    });
    expect(await page.getByRole("button", { name: "Save rules" }).isDisabled()).toBe(true);
  });

  test("axe finds nothing serious in the rules, in both themes [35]", async () => {
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findings(page)).toEqual([]);
    }
  });

  test("rules that changed meanwhile are read again, and the page says that nothing was saved", async () => {
    await page.getByRole("button", { name: "Defaults" }).click();
    await page.getByLabel("Commands", { exact: true }).selectOption("full");
    rules = { ...rules, defaults: { security: "deny" } };
    hash = "hash-of-another";
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("Your change was not saved").waitFor();
    expect(await page.getByLabel("Commands", { exact: true }).inputValue()).toBe("deny");
    expect(rules.defaults).toEqual({ security: "deny" });
  });

  test("both sides kept to the contract", () => {
    expect(lender.faults).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });
}
