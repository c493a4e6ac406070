import { CircleCheck } from "lucide-preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { Button, Countdown, Dialog, ErrorNotice, Field, Notice, Segments, Skeleton } from "../../ui/index.ts";
import { Login, type LoginCode } from "./login.ts";

interface LoginDialogProps {
  channel: string;
  label: string;
  accountId: string | undefined;
  /** Whether a working link would be given up. */
  linked: boolean;
  onClose: () => void;
}

type Way = "picture" | "typed";

export function LoginDialog({ channel, label, accountId, linked, onClose }: LoginDialogProps) {
  const [way, setWay] = useState<Way>("picture");
  const [phone, setPhone] = useState<string>();
  const [round, setRound] = useState({ count: 0, force: false });
  const again = (force: boolean) => setRound({ count: round.count + 1, force });
  const ready = way === "picture" || phone !== undefined;
  return (
    <Dialog title={`Link ${label}`} onClose={onClose} class="login-dialog">
      <div class="login-way">
        <Segments<Way>
          label="How to link"
          value={way}
          options={[
            { value: "picture", label: "Scan a code" },
            { value: "typed", label: "Type a code" },
          ]}
          onPick={(value) => {
            setWay(value);
            setPhone(undefined);
            // The code of the other kind is given up; a link that works is not.
            again(!linked);
          }}
        />
      </div>
      {ready ? (
        <Attempt
          key={`${way}:${phone ?? ""}:${round.count}`}
          channel={channel}
          label={label}
          accountId={accountId}
          phone={way === "typed" ? phone : undefined}
          force={round.force}
          onAgain={again}
          onClose={onClose}
        />
      ) : (
        <PhoneForm onPhone={setPhone} />
      )}
    </Dialog>
  );
}

function PhoneForm({ onPhone }: { onPhone: (digits: string) => void }) {
  const [text, setText] = useState("");
  const digits = text.replace(/\D/g, "");
  const valid = digits.length >= 7 && digits.length <= 15;
  return (
    <form
      class="dialog-body"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) onPhone(digits);
      }}
    >
      <Field label="Number of the phone" help="With its country code, such as +49 151 23456789.">
        {(attributes) => (
          <input
            {...attributes}
            type="tel"
            inputMode="tel"
            autocomplete="tel"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="dialog-actions">
        <Button type="submit" kind="primary" disabled={!valid}>
          Get a code
        </Button>
      </div>
    </form>
  );
}

interface AttemptProps extends Omit<LoginDialogProps, "linked"> {
  phone: string | undefined;
  force: boolean;
  onAgain: (force: boolean) => void;
}

function Attempt({ channel, label, accountId, phone, force, onAgain, onClose }: AttemptProps) {
  const { link, toasts } = useApp();
  const login = useMemo(() => new Login(link, { channel, accountId, phone, force }), []);
  useEffect(() => {
    void login.run();
    return () => login.stop();
  }, [login]);
  const state = login.state.value;
  const { name } = state;
  useEffect(() => {
    if (name === "linked") toasts.announce(`${label} is linked.`);
    if (name === "waiting") toasts.announce(phone === undefined ? "Scan the code." : "Type the code on the phone.");
  }, [name]);
  if (state.name === "starting") return <Skeleton lines={6} label="Asking for a code" />;
  if (state.name === "waiting") return <ShownCode code={state.code} message={state.message} label={label} />;
  if (state.name === "linked")
    return (
      <div class="login-done">
        <CircleCheck size={32} aria-hidden="true" />
        <p>{state.message || `${label} is linked.`}</p>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    );
  return (
    <div class="dialog-body">
      {state.already ? (
        <Notice>
          <p>{state.message.replace(/ Say force to link again\.$/, "")}</p>
        </Notice>
      ) : (
        <ErrorNotice text={state.message} />
      )}
      <div class="dialog-actions">
        <Button onClick={onClose}>Close</Button>
        <Button kind="primary" onClick={() => onAgain(state.already)}>
          {state.already ? "Link anew" : "Show a new code"}
        </Button>
      </div>
    </div>
  );
}

function ShownCode({ code, message, label }: { code: LoginCode; message: string; label: string }) {
  return (
    <div class="login-code">
      {code.typed !== undefined ? (
        <output class="typed-code">{code.typed}</output>
      ) : (
        code.picture !== undefined && <img src={code.picture} alt={`Code to scan with ${label} on the phone`} />
      )}
      <p>{message}</p>
      <p class="dim small">
        {code.expiresAt === undefined ? (
          "A newer code replaces this one by itself."
        ) : (
          <>
            This code is replaced <Countdown until={code.expiresAt} />.
          </>
        )}
      </p>
    </div>
  );
}
