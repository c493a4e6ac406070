/** The service in one line, for `status`; `gateway status` tells the whole of it. */
import type { Io } from "./io.ts";
import { rooms } from "./rooms.ts";

/** `gatewayService` of `status --json`. */
export interface ServiceSummary {
  label: string | null;
  installed: boolean;
  loadedText: string;
  runtimeShort: string;
}

const none: ServiceSummary = { label: null, installed: false, loadedText: "not installed", runtimeShort: "unknown" };

/** Asks the manager only when a definition is there. */
export async function serviceSummary(io: Io): Promise<ServiceSummary> {
  const { openService, ServiceError } = await rooms.service.load();
  try {
    const { backend } = openService({ world: await io.world(), ...io.machine });
    if (!backend.definition().installed) return { ...none, label: backend.label };
    const { label, loaded, loadedText, notLoadedText, runtime } = await backend.look();
    const { pid, state, status } = runtime;
    const details = [...(pid === undefined ? [] : [`pid ${pid}`]), ...(state === undefined ? [] : [`state ${state}`])];
    return {
      label,
      installed: true,
      loadedText: loaded ? loadedText : notLoadedText,
      runtimeShort: details.length > 0 ? `${status} (${details.join(", ")})` : status,
    };
  } catch (error) {
    if (error instanceof ServiceError) return none;
    throw error;
  }
}

export const describeService = ({ label, installed, loadedText, runtimeShort }: ServiceSummary): string =>
  installed ? `${label} ${loadedText}, ${runtimeShort}` : loadedText;
