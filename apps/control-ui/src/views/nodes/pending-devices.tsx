import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { nameOf } from "./device-name.ts";
import { Ago, Button, Chip, ErrorNotice, Facts, useAction } from "../../ui/index.ts";

type Request = MethodResult<"device.pair.list">["pending"][number];

export function PendingDevices({ requests, onChanged }: { requests: readonly Request[]; onChanged: () => void }) {
  const { link, toasts } = useApp();
  const action = useAction();
  const decide = (request: Request, approve: boolean) =>
    action.run(request.requestId, async () => {
      const { requestId } = request;
      if (approve) await link.call("device.pair.approve", { requestId });
      else await link.call("device.pair.reject", { requestId });
      toasts.show(`${nameOf(request)} was ${approve ? "let in" : "turned down"}.`, { tone: "ok" });
      onChanged();
    });
  const off = !link.connected.value || !link.may("operator.pairing") || action.busy !== undefined;
  return (
    <div class="cards">
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      {requests.map((request) => (
        <article key={request.requestId} class="card pending-device" aria-label={nameOf(request)}>
          <div class="card-head">
            <div class="card-title">
              <h3>{nameOf(request)}</h3>
              {request.isRepair === true && <Chip tone="warn">was here before</Chip>}
            </div>
            <div class="actions">
              <Button kind="primary" disabled={off} onClick={() => void decide(request, true)}>
                Approve
              </Button>
              <Button disabled={off} onClick={() => void decide(request, false)}>
                Reject
              </Button>
            </div>
          </div>
          <Facts
            rows={[
              ["Asked", <Ago at={request.ts} />],
              ["From", request.remoteIp ?? "this machine"],
              ["As", (request.roles ?? (request.role === undefined ? [] : [request.role])).join(", ") || "operator"],
              ["May then", (request.scopes ?? []).join(", ") || "nothing beyond its role"],
              ["Device", <span class="id">{request.deviceId}</span>],
              ["Request", <span class="id">{request.requestId}</span>],
            ]}
          />
        </article>
      ))}
    </div>
  );
}
