/** Whether a systemd could be asked from here, and if not, the one command that changes it (R-SVC-4). Reads files only. */
import { commandLine } from "../kernel/paths.ts";
import { hasSystemd, hasUserManager, isContainer, isWsl, runtimeDir, type Machine } from "./machine.ts";
import type { Scope, ServiceProblem } from "./types.ts";

/** Undefined when nothing speaks against it. */
export function systemdProblem(machine: Machine, scope: Scope): ServiceProblem | undefined {
  if (!hasSystemd(machine)) return noSystemd(machine);
  if (scope === "system") return undefined;
  const { world, sudoUser, uid, user } = machine;
  if (sudoUser !== undefined) {
    return {
      code: "sudo",
      message: `A user service belongs to its user, and this is root on behalf of ${sudoUser}.`,
      hints: [
        `Run it without sudo, or install a system service: sudo ${commandLine(world, "gateway install --system")}`,
      ],
    };
  }
  if (hasUserManager(machine)) return undefined;
  const folder = runtimeDir(machine);
  return {
    code: "no-user-bus",
    message:
      folder === undefined
        ? `No systemd session of ${user} is running: this shell was opened without one (su, cron, ssh without a login session), and /run/user/${uid ?? "<uid>"} is not there.`
        : `The systemd user manager of ${user} does not answer: ${folder}/systemd/private is not there.`,
    hints: [`sudo loginctl enable-linger ${user}`, `sudo systemctl start user@${uid ?? "<uid>"}.service`],
  };
}

function noSystemd(machine: Machine): ServiceProblem {
  const foreground = commandLine(machine.world, "gateway");
  if (isContainer(machine)) {
    return {
      code: "container",
      message:
        "This is a container, which has no service manager: let the container's engine keep the gateway running.",
      hints: [`${foreground}   (as the container's command, with the restart policy "unless-stopped")`],
    };
  }
  if (isWsl(machine)) {
    return {
      code: "wsl-without-systemd",
      message: "systemd is switched off in this WSL distribution.",
      hints: [
        "printf '[boot]\\nsystemd=true\\n' | sudo tee -a /etc/wsl.conf",
        "wsl --shutdown   (in Windows; then open the distribution again)",
      ],
    };
  }
  return {
    code: "no-systemd",
    message: "systemd does not run this machine, and it is the service manager this command knows on Linux.",
    hints: [`${foreground}   (under the supervisor you use, with a restart after failures)`],
  };
}
