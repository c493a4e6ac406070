/** People whose messages wait for approval (pairing). */
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { isRecord, type Query } from "../../gateway/index.ts";
import { Ago, Button, ErrorNotice, Loaded, Section, Table, useAction } from "../../ui/index.ts";

type PairingList = MethodResult<"pairing.list">;
type Request = PairingList["requests"][number];

const nameOf = ({ meta, id }: Request): string =>
  isRecord(meta) && typeof meta.name === "string" && meta.name !== "" ? meta.name : id;

export function Senders({ query, labels }: { query: Query<PairingList>; labels: Readonly<Record<string, string>> }) {
  const { link, toasts } = useApp();
  const action = useAction();
  const decide = (request: Request, approve: boolean) =>
    action.run(request.code, async () => {
      const { channel, accountId, code } = request;
      if (approve) await link.call("pairing.approve", { channel, accountId, code, notify: true });
      else await link.call("pairing.reject", { channel, accountId, code });
      const done = approve ? "may write now, and was told so" : "was turned down and may ask again";
      toasts.show(`${nameOf(request)} ${done}.`, { tone: "ok" });
      await query.refresh();
    });
  const { data } = query.state.value;
  if (data && data.requests.length === 0) return null;
  const allowed = link.connected.value && link.may("operator.pairing");
  return (
    <Section title="Waiting for your approval">
      {action.error !== undefined && <ErrorNotice text={action.error} />}
      <Loaded query={query} what="requests of senders" skeletonLines={2}>
        {({ requests }) => (
          <Table
            caption="Senders who wait for approval"
            rows={requests}
            keyOf={({ channel, accountId, code }) => `${channel}:${accountId}:${code}`}
            columns={[
              {
                title: "Who",
                cell: (request) => (
                  <div>
                    <b>{nameOf(request)}</b>
                    <div class="dim">
                      {request.idLabel} {request.id}
                    </div>
                  </div>
                ),
              },
              { title: "Channel", cell: ({ channel }) => labels[channel] ?? channel },
              { title: "Code", cell: ({ code }) => <code>{code}</code> },
              { title: "Asked", cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} /> },
              {
                title: "Decide",
                cell: (request) => (
                  <div class="cell-actions">
                    <Button
                      kind="primary"
                      disabled={!allowed || action.busy !== undefined}
                      aria-label={`Approve ${nameOf(request)}`}
                      onClick={() => void decide(request, true)}
                    >
                      Approve
                    </Button>
                    <Button
                      disabled={!allowed || action.busy !== undefined}
                      aria-label={`Reject ${nameOf(request)}`}
                      onClick={() => void decide(request, false)}
                    >
                      Reject
                    </Button>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
