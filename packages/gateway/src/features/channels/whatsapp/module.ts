/** What `entry.ts` loads: the account together with the library. Loading it takes about 200 ms and 50 MB. */
import type { ChannelModule } from "../channel.ts";
import { WhatsAppAccount } from "./account.ts";
import { library } from "./library.ts";
import { quietConsole } from "./quiet-console.ts";
import type { WhatsAppSettings } from "./settings.ts";
import { sparing } from "./sparing.ts";
import { testUrl } from "./test-url.ts";

export const whatsappModule: ChannelModule<WhatsAppSettings> = {
  createAccount(deps) {
    const told = sparing(deps.world, (line, more) => deps.log.debug("kept off the console", { line, ...more }));
    quietConsole(console, told);
    return new WhatsAppAccount(deps, library, testUrl(deps.world.env));
  },
};
