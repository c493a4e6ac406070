import { useState } from "preact/hooks";
import { Play } from "lucide-preact";
import { RequestError } from "@openclaw/client";
import { useApp } from "../../app/app.ts";
import { duration } from "../../app/format.ts";
import { Button, CopyButton, Field, Notice, Section, Words } from "../../ui/index.ts";
import { pretty } from "./event-log.ts";
import { methodHelp } from "./method-help.ts";

interface Answer {
  method: string;
  ok: boolean;
  text: string;
  tookMs: number;
}

const timeoutMs = 120_000;

export function CallPanel() {
  const { link, router } = useApp();
  const [method, setMethod] = useState(router.current.query.get("method") ?? "status");
  const [params, setParams] = useState("{}");
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer>();
  const methods = [...(link.hello.value?.features.methods ?? [])].sort();
  const help = methodHelp(method);
  const problem = problemOf(params);
  const missingScope =
    help !== undefined && help.scope.startsWith("operator.") && !link.may(help.scope) ? help.scope : undefined;
  const pick = (name: string) => {
    setMethod(name);
    const known = methodHelp(name);
    if (known) setParams(known.template);
  };
  const call = async (event: Event) => {
    event.preventDefault();
    if (problem !== undefined || busy) return;
    setBusy(true);
    const began = performance.now();
    const end = (ok: boolean, value: unknown) =>
      setAnswer({ method, ok, text: pretty(value), tookMs: performance.now() - began });
    try {
      end(true, await link.callAny(method, params.trim() === "" ? {} : JSON.parse(params), { timeoutMs }));
    } catch (error) {
      end(false, errorOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title="Call a method">
      <form class="card call-panel" onSubmit={(event) => void call(event)}>
        <div class="call-fields">
          <div class="fields">
            <Field
              label="Method"
              help={<Words text={help?.summary ?? "Not a method this page knows; it can be called all the same."} />}
            >
              {(attributes) => (
                <input
                  {...attributes}
                  list="debug-methods"
                  spellcheck={false}
                  autocomplete="off"
                  class="mono"
                  value={method}
                  onInput={(event) => pick(event.currentTarget.value)}
                />
              )}
            </Field>
            <datalist id="debug-methods">
              {methods.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
            <Field label="Parameters" error={problem}>
              {(attributes) => (
                <textarea
                  {...attributes}
                  class="code-area"
                  rows={7}
                  spellcheck={false}
                  value={params}
                  onInput={(event) => setParams(event.currentTarget.value)}
                />
              )}
            </Field>
          </div>
          <MethodFacts help={help} />
        </div>
        {missingScope !== undefined && (
          <Notice tone="warn">
            <p>This connection does not hold {missingScope}; the gateway will refuse.</p>
          </Notice>
        )}
        <div class="row">
          <Button
            type="submit"
            kind="primary"
            icon={Play}
            disabled={busy || problem !== undefined || method.trim() === "" || !link.connected.value}
          >
            {busy ? "Calling…" : "Call"}
          </Button>
          <span class="dim small">Calls act at once, and as you.</span>
        </div>
      </form>
      {answer && (
        <div class="card answer">
          <div class="card-head">
            <p role="status">
              <b class={answer.ok ? "" : "bad-text"}>{answer.ok ? "Answer" : "Refused"}</b> to{" "}
              <code>{answer.method}</code> <span class="dim">in {duration(answer.tookMs)}</span>
            </p>
            <CopyButton text={answer.text} label="Copy the answer" />
          </div>
          <pre class="output" tabIndex={0} aria-label="Answer">
            {answer.text}
          </pre>
        </div>
      )}
    </Section>
  );
}

function MethodFacts({ help }: { help: ReturnType<typeof methodHelp> }) {
  if (!help) return null;
  return (
    <div class="method-help">
      <p class="small">
        Scope <code>{help.scope}</code>
      </p>
      {help.params.length === 0 ? (
        <p class="dim small">Takes no parameters.</p>
      ) : (
        <dl>
          {help.params.map((param) => (
            <div key={param.name}>
              <dt>
                <code>{param.name}</code>
                {param.required && <span class="required"> required</span>}
              </dt>
              <dd class="dim">
                {param.type}
                {param.help !== "" && (
                  <>
                    . <Words text={param.help} />
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function problemOf(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `Not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function errorOf(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error instanceof Error ? error.message : String(error);
  const { code, message, details, retryable, retryAfterMs } = error;
  return { code, message, details, retryable, retryAfterMs };
}
