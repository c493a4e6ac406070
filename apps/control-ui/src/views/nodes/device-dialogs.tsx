import { useState } from "preact/hooks";
import { useApp } from "../../app/app.ts";
import { Button, Command, Confirm, Dialog, Notice, spoken } from "../../ui/index.ts";
import { nameOf, type Device } from "./device-name.ts";

interface DeviceDialogProps {
  device: Device;
  /** The browser this page runs in. */
  own: boolean;
  onDone: () => void;
  onClose: () => void;
}

export function RotateToken({ device, role, own, onDone, onClose }: DeviceDialogProps & { role: string }) {
  const { link } = useApp();
  const [token, setToken] = useState<string>();
  const rotate = async () => {
    const issued = await link.call("device.token.rotate", { deviceId: device.deviceId, role });
    if (own) link.secrets.deviceTokens.save(role, { token: issued.token, scopes: issued.scopes });
    setToken(issued.token);
    onDone();
  };
  if (token === undefined)
    return (
      <Confirm
        title={`New token for ${nameOf(device)}?`}
        action="Make a new token"
        danger={false}
        onConfirm={spoken(rotate)}
        // Called after success too: then the token is shown instead.
        onClose={() => undefined}
        onRefuse={onClose}
      >
        <p>
          Its present token as {role} stops working.{" "}
          {own ? "This browser takes the new one by itself." : "The device needs the new one, or the shared secret."}
        </p>
      </Confirm>
    );
  return (
    <Dialog title="The new token" onClose={onClose} modalOnly>
      <div class="dialog-body">
        {own ? (
          <p>This browser uses it already.</p>
        ) : (
          <Notice tone="warn">
            <p>It is shown this once. Copy it to the device now.</p>
          </Notice>
        )}
        <Command text={token} />
        <div class="dialog-actions">
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

export function RevokeToken({ device, role, own, onDone, onClose }: DeviceDialogProps & { role: string }) {
  const { link, toasts } = useApp();
  const revoke = async () => {
    await link.call("device.token.revoke", { deviceId: device.deviceId, role });
    toasts.show(`The token of ${nameOf(device)} was withdrawn.`, { tone: "ok" });
    onDone();
  };
  return (
    <Confirm
      title={`Withdraw the token of ${nameOf(device)}?`}
      action="Withdraw token"
      onConfirm={spoken(revoke)}
      onClose={onClose}
    >
      <p>Its next connection as {role} needs the gateway's shared secret.</p>
      {own && <Own />}
    </Confirm>
  );
}

export function RemoveDevice({ device, own, onDone, onClose }: DeviceDialogProps) {
  const { link, toasts } = useApp();
  const remove = async () => {
    await link.call("device.pair.remove", { deviceId: device.deviceId });
    toasts.show(`${nameOf(device)} was forgotten.`, { tone: "ok" });
    onDone();
  };
  return (
    <Confirm title={`Forget ${nameOf(device)}?`} action="Forget device" onConfirm={spoken(remove)} onClose={onClose}>
      <p>Its tokens and open connections end. It may ask to be let in again.</p>
      {own && <Own />}
    </Confirm>
  );
}

const Own = () => (
  <Notice tone="warn">
    <p>This is the browser you are using. It loses its connection and has to be let in again.</p>
  </Notice>
);
