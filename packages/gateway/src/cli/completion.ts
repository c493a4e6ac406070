/** `completion`: a script for bash, zsh or fish, made from the table of commands. It asks the gateway nothing. */
import type { CommandRow, Context } from "./command.ts";
import { commands } from "./commands.ts";
import { globalOptions } from "./help.ts";
import { childrenOf, topLevel } from "./parse.ts";

/** What may follow a list of words: subcommands and options. */
interface Place {
  path: string;
  children: readonly CommandRow[];
  options: readonly { name: string; text: string }[];
}

function places(rows: readonly CommandRow[]): Place[] {
  const options = (row: CommandRow) => [
    ...(row.options ?? []).map(({ name, text }) => ({ name: `--${name}`, text })),
    { name: "--help", text: "Print help" },
  ];
  const globals = globalOptions.map(([flags, text]) => ({ name: /--[a-z-]+/.exec(flags)?.[0] ?? flags, text }));
  return [
    { path: "", children: topLevel(rows), options: globals },
    ...rows.map((row) => ({ path: row.path, children: childrenOf(rows, row.path), options: options(row) })),
  ];
}

const last = (row: CommandRow): string => row.path.split(" ").at(-1) ?? "";

export function script(shell: string, rows: readonly CommandRow[]): string {
  if (shell === "bash") return bash(rows);
  return shell === "fish" ? fish(rows) : zsh(rows);
}

function bash(rows: readonly CommandRow[]): string {
  const cases = places(rows).map(({ path, children, options }) => {
    const words = [...children.map(last), ...options.map((option) => option.name)].join(" ");
    return `    "${path}") words="${words}" ;;`;
  });
  return `# openclaw completion for bash: eval "$(openclaw completion --shell bash)"
_openclaw() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" place="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) place="\${place:+$place }$word" ;;
    esac
  done
  while :; do
    case "$place" in
${cases.join("\n").replaceAll(/^/gm, "  ")}
    esac
    [ -n "$words" ] && break
    case "$place" in
      *" "*) place="\${place% *}" ;;
      "") break ;;
      *) place="" ;;
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _openclaw openclaw
`;
}

const single = (text: string): string => text.replaceAll("'", "'\\''");

function zsh(rows: readonly CommandRow[]): string {
  const cases = places(rows).map(({ path, children, options }) => {
    const entry = (name: string, text: string) => `'${single(name)}:${single(text.replaceAll(":", "\\:"))}'`;
    const entries = [
      ...children.map((child) => entry(last(child), child.summary)),
      ...options.map((option) => entry(option.name, option.text)),
    ];
    return `      "${path}") choices=(${entries.join(" ")}) ;;`;
  });
  return `#compdef openclaw
# openclaw completion for zsh: eval "$(openclaw completion --shell zsh)"
_openclaw() {
  local place="" word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] || place="\${place:+$place }$word"
  done
  while true; do
    case "$place" in
${cases.join("\n")}
    esac
    (( \${#choices} )) && break
    [[ -z "$place" ]] && break
    if [[ "$place" == *" "* ]]; then place="\${place% *}"; else place=""; fi
  done
  _describe 'openclaw' choices
}
compdef _openclaw openclaw
`;
}

function fish(rows: readonly CommandRow[]): string {
  const lines = places(rows).flatMap(({ path, children, options }) => {
    const condition = `__openclaw_at '${path}'`;
    return [
      ...children.map(
        (child) => `complete -c openclaw -f -n "${condition}" -a '${last(child)}' -d '${fishText(child.summary)}'`,
      ),
      ...options.map(
        (option) => `complete -c openclaw -n "${condition}" -l '${option.name.slice(2)}' -d '${fishText(option.text)}'`,
      ),
    ];
  });
  return `# openclaw completion for fish: openclaw completion --shell fish | source
function __openclaw_at
    set -l place
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a place $word
    end
    test "$place" = "$argv[1]"
end
${lines.join("\n")}
`;
}

const fishText = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");

export async function run(context: Context): Promise<number> {
  context.io.stdout.write(script(context.options.text("shell") ?? "zsh", commands));
  return 0;
}
