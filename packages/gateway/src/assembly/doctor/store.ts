/** The store: whole, of a version this program reads, of a sensible size. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspectStore, openStateLock, StateLockedError, type StoreReport } from "../../store/index.ts";
import { storeMigrations } from "../migrations.ts";
import { codeOf, type Check, type DoctorContext } from "./check.ts";

const databasePath = ({ state }: DoctorContext): string => join(state, "openclaw.db");
const largeBytes = 2 * 1024 ** 3;

/** The file is read once per look, however many checks ask. */
const reports = new WeakMap<DoctorContext, { report: StoreReport | undefined }>();

function report(context: DoctorContext): StoreReport | undefined {
  const known = reports.get(context) ?? { report: read(context) };
  reports.set(context, known);
  return known.report;
}

/** Undefined when there is no store, or a gateway uses it. The lock is held while it is read. */
function read(context: DoctorContext): StoreReport | undefined {
  const path = databasePath(context);
  if (!existsSync(path)) return undefined;
  if (context.running) {
    context.skip("the store is checked while no gateway uses it");
    return undefined;
  }
  try {
    const lock = openStateLock(context.state);
    try {
      return inspectStore(
        path,
        storeMigrations.map(({ id }) => id),
        context.deep,
      );
    } finally {
      lock.release();
    }
  } catch (error) {
    context.skip(
      error instanceof StateLockedError
        ? "a gateway started meanwhile and uses the store"
        : `the store cannot be locked (${codeOf(error)})`,
    );
    return undefined;
  }
}

export const storeChecks: readonly Check[] = [
  {
    id: "store-damaged",
    summary: "the pages of the store hold together",
    repair: "forced",
    find: (context) => {
      const path = databasePath(context);
      const found = report(context);
      if (!found || found.damage.length === 0) return [];
      return [
        {
          severity: "error",
          title: `The store ${context.show(path)} is damaged.`,
          cause: found.damage.join("; ").slice(0, 500),
          fix: `Restore a copy of ${context.show(path)}. ${context.command("doctor --fix --force")} sets it aside, and the gateway begins with an empty one.`,
          subject: path,
        },
      ];
    },
    fix: (finding, context) => {
      const path = finding.subject ?? "";
      const parts = ["", "-wal", "-shm"].map((end) => `${path}${end}`).filter((part) => existsSync(part));
      const kept = parts.map((part) => context.setAside(part));
      return [`moved ${context.show(path)} to ${context.show(kept[0] ?? "")}; the next start makes an empty store`];
    },
  },
  {
    id: "store-version",
    summary: "this program can read the store",
    find: (context) => {
      const found = report(context);
      if (!found || found.foreign.length === 0) return [];
      return [
        {
          severity: "error",
          title: `The store was changed by a newer version (schema ${found.schemaVersion}).`,
          cause: `This version does not know: ${found.foreign.slice(0, 5).join(", ")}. It changes nothing.`,
          fix: "Install the newer version again, or restore the copy the upgrade made (openclaw.db.before-<n>).",
          subject: databasePath(context),
        },
      ];
    },
  },
  {
    id: "store-size",
    summary: "the store has a sensible size",
    find: (context) => {
      const size = statSync(databasePath(context), { throwIfNoEntry: false })?.size ?? 0;
      if (size < largeBytes) return [];
      return [
        {
          severity: "info",
          title: `The store holds ${(size / 1024 ** 3).toFixed(1)} GB.`,
          cause: "Conversations are kept until they are deleted.",
          fix: `Delete sessions you no longer need: ${context.command("sessions")}`,
          subject: databasePath(context),
        },
      ];
    },
  },
];
