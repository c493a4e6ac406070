/** What the person has said so far. A field nobody was asked about is absent and changes nothing. */

export interface Draft {
  /** Command that runs the wizard, for `wizard.lastRunCommand`. */
  command: "onboard" | "configure";
  existing?: "keep" | "modify" | "reset";
  /** Ask about ports and exposure too. */
  flow?: "quickstart" | "advanced";
  mode?: "local" | "remote";
  remoteUrl?: string;
  remoteToken?: string;
  workspace?: string;
  /** `keep`: the model stays as it is; `skip`: none. */
  provider?: string;
  key?: string;
  keyRefused?: boolean;
  /** `provider/model` */
  model?: string;
  port?: number;
  bind?: string;
  auth?: "token" | "password";
  token?: string;
  password?: string;
  tailscale?: "off" | "serve" | "funnel";
  tailscaleReset?: boolean;
  /** `configure` only: the parts to go through. */
  sections?: readonly string[];
  declined?: boolean;
  /** Lines of what was written. */
  written?: readonly string[];
}
