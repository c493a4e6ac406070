/** Commands that ask for leave to run: the queue and the question. Loaded with the app, not lazily: a question about a command
 *  must not depend on a file that an updated gateway no longer has. */
export { ApprovalDesk } from "./approval-desk.tsx";
export { Approvals } from "./approvals.ts";
