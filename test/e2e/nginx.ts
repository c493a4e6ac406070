/** A real nginx in a folder of its own: own config, own port, one process that is ended by its id. Nothing of the system's is
 *  read or touched. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** The path of the installed nginx; undefined where there is none. */
export function nginxPath(): string | undefined {
  // Debian puts it where only root's PATH looks.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders
    .map((folder) => join(folder, "nginx"))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false; // Not in this folder.
      }
    });
}

/** For the names of cases. */
export const needsNginx = "needs nginx: apt-get install -y --no-install-recommends nginx-light";

export interface Nginx {
  /** What it wrote to its error log and to its output. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts nginx with `servers` as the content of its `http` block; resolves once `port` accepts connections. Throws with what
 *  nginx says when it refuses the config. */
export async function startNginx(options: {
  servers: string;
  port: number;
  files: Record<string, string>;
}): Promise<Nginx> {
  const path = nginxPath();
  if (path === undefined) throw new Error(`No nginx found; this ${needsNginx}`);
  const folder = mkdtempSync(join(tmpdir(), "openclaw-nginx-"));
  for (const [name, text] of Object.entries(options.files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const spools = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${join(folder, name)};`)
    .join("\n");
  // One process, in the foreground: what is started here is all there is to end.
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off;
master_process off;
pid ${join(folder, "nginx.pid")};
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
${spools}
${options.servers.replaceAll("%FOLDER%", folder)}
}
`,
  );
  const child = spawn(path, ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGQUIT");
    const late = setTimeout(() => child.kill("SIGKILL"), 2_000);
    await exited;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    while (!(await accepts(options.port))) {
      if (child.exitCode !== null) throw new Error(`nginx ended at once: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { output: () => text, stop };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
