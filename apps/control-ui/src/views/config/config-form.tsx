/** The form: a section per top-level key, or what the search found. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { Empty, Link, SearchField, Select, Words } from "../../ui/index.ts";
import { valueAt } from "./draft.ts";
import { useDesk } from "./desk.ts";
import { Setting } from "./setting.tsx";
import { SettingsOf } from "./group.tsx";
import { controlOf, hintAt, parsePath, type Hints, type Path, type Schema } from "./schema.ts";
import { FormPartsProvider } from "./recursion.ts";
import { search, settingsIn } from "./search.ts";

const shownResults = 40;

export function ConfigForm({ onRaw }: { onRaw: () => void }) {
  const { router } = useApp();
  const { base, document, draft } = useDesk();
  const { schema, hints } = base;
  const sections = useMemo(() => sectionsOf(schema, hints), [schema, hints]);
  const asked = parsePath(router.current.query.get("path") ?? "", document);
  const first = String(asked[0] ?? "");
  const section = sections.some(({ name }) => name === first) ? first : (sections[0]?.name ?? "");
  const [text, setText] = useState(router.current.query.get("find") ?? "");
  const node = schema.properties?.[section];
  const key = asked.join(".");
  useEffect(() => {
    if (asked.length < 2) return;
    const target = window.document.getElementById(`setting:${key}`);
    target?.scrollIntoView({ block: "center" });
    target?.querySelector<HTMLElement>("input, select, textarea, summary, button")?.focus({ preventScroll: true });
  }, [key]);
  const href = (name: string) => router.href("/config", "", { mode: "form", path: name });
  const changed = (name: string) => [...draft.values()].filter(({ path }) => path[0] === name).length;
  return (
    <FormPartsProvider value={{ Setting, openRaw: onRaw }}>
      <SearchField
        label="Search the settings"
        placeholder="Search by name, path or help"
        value={text}
        onText={setText}
      />
      {text.trim() !== "" ? (
        <Results text={text} />
      ) : (
        <div class="config-form">
          <nav class="config-sections" aria-label="Sections">
            {sections.map(({ name, label }) => (
              <Link
                key={name}
                href={href(name)}
                class={valueAt(document, [name]) === undefined ? "unset" : ""}
                {...(name === section ? { "aria-current": "true" as const } : {})}
              >
                <span>{label}</span>
                {changed(name) > 0 && <span class="changed-mark">{changed(name)} changed</span>}
              </Link>
            ))}
          </nav>
          <div class="config-section-pick">
            <Select
              aria-label="Section"
              value={section}
              options={sections.map(({ name, label }) => ({ value: name, label }))}
              onPick={(name) => router.go(href(name), { replace: true })}
            />
          </div>
          {node && <SectionBody key={section} name={section} schema={node} open={asked} />}
        </div>
      )}
    </FormPartsProvider>
  );
}

function SectionBody({ name, schema, open }: { name: string; schema: Schema; open: Path }) {
  const { hint, document } = useDesk();
  const { label = name, help = schema.description } = hint([name]);
  const control = controlOf(schema, valueAt(document, [name]));
  return (
    <section class="config-section" aria-label={label}>
      <header>
        <h2>{label}</h2>
        {help !== undefined && (
          <p class="dim">
            <Words text={help} />
          </p>
        )}
      </header>
      {control.kind === "object" ? (
        <SettingsOf path={[name]} properties={control.properties} open={open} />
      ) : (
        <Setting path={[name]} schema={schema} open={open} />
      )}
    </section>
  );
}

interface Section {
  name: string;
  label: string;
}

function sectionsOf(schema: Schema, hints: Hints): Section[] {
  return Object.keys(schema.properties ?? {}).map((name) => ({ name, label: hintAt(hints, [name]).label ?? name }));
}

function Results({ text }: { text: string }) {
  const { base } = useDesk();
  const all = useMemo(() => settingsIn(base.schema, base.hints), [base]);
  const found = search(all, text);
  if (found.length === 0)
    return (
      <Empty title="No setting is called that">
        <p>Try a part of its name, such as “port” or “allow”.</p>
      </Empty>
    );
  return (
    <section class="config-section" aria-label="Found settings">
      <p class="dim small" role="status">
        {found.length > shownResults
          ? `The first ${shownResults} of ${found.length} settings`
          : `${found.length} found`}
      </p>
      {found.slice(0, shownResults).map(({ path, schema }) => (
        <Setting key={path.join(".")} path={path} schema={schema} open={[]} named />
      ))}
    </section>
  );
}
