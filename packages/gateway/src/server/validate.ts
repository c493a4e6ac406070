/** The generated validators as dispatch and handshake use them: a text, or nothing (protocol.md §9.4, settled.md 20). */
import type { ProtocolVersion } from "@openclaw/protocol";
import { connectParams, paramsValidators } from "@openclaw/protocol/validators";
import type { Logger } from "../kernel/log.ts";
import type { ConnectParams } from "./connect-params.ts";
import type { ParamsValidator } from "./methods.ts";
import { validationText } from "./validation-text.ts";

/** Params are closed for protocol 3. Clients of protocol 4 add keys often, and none makes a request unsafe to execute: theirs
 *  are ignored and logged. */
export function paramsValidator(log: Logger): ParamsValidator {
  return (method: string, params: unknown, protocol: ProtocolVersion) => {
    const validate = paramsValidators[method];
    if (!validate || validate(params)) return undefined;
    const errors = validate.errors ?? [];
    if (protocol < 4) return validationText(errors);
    const serious = errors.filter((error) => error.keyword !== "additionalProperties");
    if (serious.length > 0) return validationText(serious);
    log.debug(`${method}: unknown params ignored: ${validationText(errors)}`);
    return undefined;
  };
}

/** The params of `connect`, or what is wrong with them. */
export function checkConnect(params: unknown): { params: ConnectParams } | { fault: string } {
  if (connectParams(params)) return { params: params as ConnectParams };
  return { fault: validationText(connectParams.errors ?? []) };
}
