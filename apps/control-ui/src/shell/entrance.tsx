/** What stands in place of the views while the gateway refuses this page: why, what helps, and the form for a secret. */
import { KeyRound, RotateCw, ShieldAlert, ShieldQuestion } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { curedBySecret, type Phase, type Refusal } from "../gateway/index.ts";
import { Button, Command, Countdown, Field } from "../ui/index.ts";

export function Entrance({ phase }: { phase: Extract<Phase, { name: "refused" }> }) {
  const { link, toasts } = useApp();
  const { refusal, retryAt } = phase;
  // The same words again change nothing on screen; they must still be heard.
  useEffect(() => toasts.announce(refusal.title), [phase]);
  const Icon = refusal.kind === "pairing" ? ShieldQuestion : curedBySecret.has(refusal.kind) ? KeyRound : ShieldAlert;
  return (
    <div class="entrance">
      <section class="entrance-card" aria-labelledby="entrance-title">
        <Icon size={26} aria-hidden="true" class="entrance-icon" />
        <h1 id="entrance-title">{refusal.title}</h1>
        <p role="alert">{refusal.text}</p>
        {refusal.command !== undefined && <Command text={refusal.command} />}
        {refusal.requestId !== undefined && (
          <p class="dim small">
            Request <code>{refusal.requestId}</code>
          </p>
        )}
        {curedBySecret.has(refusal.kind) && <SecretForm refusal={refusal} />}
        <footer class="entrance-foot">
          <span class="dim small">
            {refusal.code}
            {retryAt !== undefined && (
              <>
                {" · next attempt "}
                <Countdown until={retryAt} />
              </>
            )}
          </span>
          {!curedBySecret.has(refusal.kind) &&
            (refusal.kind === "protocol" ? (
              <Button icon={RotateCw} onClick={() => location.reload()}>
                Reload the page
              </Button>
            ) : (
              <Button icon={RotateCw} onClick={() => link.retryNow()}>
                Check now
              </Button>
            ))}
        </footer>
      </section>
    </div>
  );
}

function SecretForm({ refusal }: { refusal: Refusal }) {
  const { link } = useApp();
  const [byPassword, setByPassword] = useState(refusal.kind.startsWith("password"));
  const [secret, setSecret] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const name = byPassword ? "Password" : "Token";
  const submit = (event: Event) => {
    event.preventDefault();
    if (secret.trim() === "") return;
    if (byPassword) link.secrets.usePassword(secret);
    else link.secrets.useToken(secret.trim());
    setSecret("");
    link.restart();
  };
  return (
    <form class="secret-form" onSubmit={submit}>
      <Field label={`Gateway ${name.toLowerCase()}`}>
        {(attributes) => (
          <input
            {...attributes}
            ref={field}
            type="password"
            name={name.toLowerCase()}
            autocomplete="off"
            spellcheck={false}
            value={secret}
            onInput={(event) => setSecret(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="row spread">
        <Button kind="plain" onClick={() => setByPassword(!byPassword)}>
          {byPassword ? "Use a token instead" : "Use a password instead"}
        </Button>
        <Button kind="primary" type="submit" disabled={secret.trim() === ""}>
          Connect
        </Button>
      </div>
    </form>
  );
}
