import type { MethodResult } from "@openclaw/protocol";

export type Device = MethodResult<"device.pair.list">["paired"][number];

type Named = Pick<Device, "displayName" | "clientId" | "platform" | "deviceId">;

/** What a person calls it: its own name, else what it is, else the beginning of its id. */
export const nameOf = ({ displayName, clientId, platform, deviceId }: Named): string => {
  const made = [clientId, platform].filter(Boolean).join(" on ");
  return displayName ?? (made !== "" ? made : deviceId.slice(0, 12));
};
