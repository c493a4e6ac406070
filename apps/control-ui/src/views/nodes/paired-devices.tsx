import { useEffect, useState } from "preact/hooks";
import { Smartphone } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { deviceIdentity } from "../../gateway/identity.ts";
import { Ago, Chip, Empty, Menu, type MenuItem } from "../../ui/index.ts";
import { RemoveDevice, RevokeToken, RotateToken } from "./device-dialogs.tsx";
import { nameOf, type Device } from "./device-name.ts";

type Token = Device["tokens"][number];
type Asked =
  | { what: "rotate" | "revoke"; device: Device; role: string }
  | { what: "remove"; device: Device }
  | undefined;

export function PairedDevices({ devices, onChanged }: { devices: readonly Device[]; onChanged: () => void }) {
  const { link } = useApp();
  const [asked, setAsked] = useState<Asked>();
  const [ownId, setOwnId] = useState<string>();
  useEffect(() => {
    void deviceIdentity().then(({ deviceId }) => setOwnId(deviceId));
  }, []);
  const close = () => setAsked(undefined);
  if (devices.length === 0)
    return (
      <Empty icon={Smartphone} title="No device is paired">
        <p>A device is listed here once it was approved, or connected from the gateway's own machine.</p>
      </Empty>
    );
  const off = !link.connected.value || !link.may("operator.pairing");
  const itemsOf = (device: Device): MenuItem[] => [
    ...device.tokens
      .filter(({ revokedAtMs }) => revokedAtMs === undefined)
      .flatMap(({ role }): MenuItem[] => [
        { label: `New token as ${role}…`, disabled: off, run: () => setAsked({ what: "rotate", device, role }) },
        {
          label: `Withdraw token as ${role}…`,
          danger: true,
          disabled: off,
          run: () => setAsked({ what: "revoke", device, role }),
        },
      ]),
    ...(link.offers("device.pair.remove")
      ? [{ label: "Forget the device…", danger: true, disabled: off, run: () => setAsked({ what: "remove", device }) }]
      : []),
  ];
  const own = asked !== undefined && asked.device.deviceId === ownId;
  return (
    <>
      <ul class="grid">
        {devices.map((device) => (
          <li key={device.deviceId} class="card device">
            <div class="card-head">
              <div class="card-title">
                <h3>{nameOf(device)}</h3>
                {device.deviceId === ownId && <Chip tone="live">this browser</Chip>}
              </div>
              <Menu label={`Actions for ${nameOf(device)}`} items={itemsOf(device)} />
            </div>
            <p class="id" title={device.deviceId}>
              {device.deviceId}
            </p>
            <p class="dim small">
              Approved <Ago at={device.approvedAtMs} />
              {device.remoteIp !== undefined && `, from ${device.remoteIp}`}
            </p>
            {device.tokens.length === 0 ? (
              <p class="dim small">It holds no token; the next connection needs the shared secret.</p>
            ) : (
              <ul class="tokens">
                {device.tokens.map((token) => (
                  <TokenRow key={token.role} token={token} />
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
      {asked?.what === "rotate" && (
        <RotateToken device={asked.device} role={asked.role} own={own} onDone={onChanged} onClose={close} />
      )}
      {asked?.what === "revoke" && (
        <RevokeToken device={asked.device} role={asked.role} own={own} onDone={onChanged} onClose={close} />
      )}
      {asked?.what === "remove" && <RemoveDevice device={asked.device} own={own} onDone={onChanged} onClose={close} />}
    </>
  );
}

function TokenRow({ token }: { token: Token }) {
  const { role, scopes, createdAtMs, rotatedAtMs, revokedAtMs, lastUsedAtMs } = token;
  return (
    <li>
      <div class="card-title">
        <b>Token as {role}</b>
        {revokedAtMs !== undefined && <Chip tone="bad">withdrawn</Chip>}
      </div>
      <p class="dim small">
        {scopes.join(", ") || "no scopes"}
        <br />
        {revokedAtMs !== undefined ? (
          <>
            Withdrawn <Ago at={revokedAtMs} />
          </>
        ) : (
          <>
            Made <Ago at={rotatedAtMs ?? createdAtMs} />
            {lastUsedAtMs !== undefined && (
              <>
                , used <Ago at={lastUsedAtMs} />
              </>
            )}
          </>
        )}
      </p>
    </li>
  );
}
