/** Standard output of a process that outlives its readers: once a closed terminal or log pipe was met, nothing more is written
 *  to it (lifecycle.md §2.1 item 8). Without this each line that cannot be written would report itself in a further line. */
export type StreamName = "stdout" | "stderr";

export function standardOutput(): (stream: StreamName, text: string) => void {
  const gone = new Set<StreamName>();
  for (const name of ["stdout", "stderr"] as const) process[name].on("error", () => void gone.add(name));
  return (name, text) => {
    if (!gone.has(name)) process[name].write(text);
  };
}
