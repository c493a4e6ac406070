import { useState } from "preact/hooks";
import { CircleArrowUp } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Button, ErrorNotice, Notice, useAction, Words } from "../../ui/index.ts";

/** What brings this gateway up to date, in its own words: it never replaces itself. Nothing where it is not offered. */
export function UpdateAdvice() {
  const { link, settings, toasts } = useApp();
  const action = useAction();
  const [advice, setAdvice] = useState<string>();
  if (!link.offers("update.run")) return null;
  const ask = () =>
    action.run("update", async () => {
      const { lastActiveSessionKey: sessionKey } = settings.current;
      const { result } = await link.call("update.run", sessionKey === "" ? {} : { sessionKey });
      const text = result.reason ?? `The update ended: ${result.status}.`;
      setAdvice(text);
      toasts.announce(text);
    });
  const may = link.may("operator.admin");
  return (
    <div class="update-advice">
      {advice !== undefined && (
        <Notice>
          <p>
            <Words text={advice} />
          </p>
        </Notice>
      )}
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      <div>
        <Button
          icon={CircleArrowUp}
          disabled={!link.connected.value || !may || action.busy !== undefined}
          title={may ? undefined : "Needs the scope operator.admin"}
          onClick={() => void ask()}
        >
          {action.busy === undefined ? "How to update" : "Asking…"}
        </Button>
      </div>
    </div>
  );
}
