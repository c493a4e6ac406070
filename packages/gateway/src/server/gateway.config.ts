/** Config keys `gateway.*` (config.md §7.1). */
import { Type, type TSchema } from "typebox";
import { section, type SectionValue } from "../config/section.ts";

const text = (description: string, more: Record<string, unknown> = {}) =>
  Type.Optional(Type.String({ description, minLength: 1, ...more }));
const choice = <const T extends readonly string[]>(values: T, options: Record<string, unknown>) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  ) as unknown as ReturnType<typeof Type.Unsafe<T[number]>>;

const limits = <const E extends Record<string, TSchema>>(description: string, extra: E) =>
  Type.Object(
    {
      allowUrl: Type.Boolean({ default: true, description: "Fetch inputs given by URL." }),
      allowedMimes: Type.Optional(Type.Array(Type.String(), { description: "Accepted media types." })),
      maxRedirects: Type.Integer({ default: 3, minimum: 0, description: "Redirects followed." }),
      timeoutMs: Type.Integer({ default: 10_000, minimum: 1, description: "Deadline of one fetch." }),
      ...extra,
    },
    { additionalProperties: false, description },
  );

const pdf = {
  pdf: Type.Optional(
    Type.Object(
      {
        maxPages: Type.Integer({ default: 4, minimum: 1, description: "Pages read." }),
        maxPixels: Type.Integer({
          default: 4_000_000,
          minimum: 1,
          description: "Pixels of a page that is read as a picture.",
        }),
        minTextChars: Type.Integer({
          default: 200,
          minimum: 0,
          description: "Characters below which a page is read as a picture.",
        }),
      },
      { additionalProperties: false, description: "PDF files." },
    ),
  ),
};

export const gatewaySection = section(
  "gateway",
  { reload: "restart", description: "The process itself: port, bind address, authentication, endpoints." },
  {
    mode: Type.Optional(
      choice(["local", "remote"], {
        description: "Where the gateway of this installation lives. `gateway run` needs `local`.",
      }),
    ),
    port: Type.Integer({ default: 18_789, minimum: 1, maximum: 65_535, description: "Port of WebSocket and HTTP." }),
    bind: choice(["loopback", "lan", "tailnet", "auto", "custom"], {
      default: "loopback",
      description: "Which addresses listen.",
    }),
    customBindHost: text("IPv4 address for bind `custom`."),
    auth: Type.Object(
      {
        mode: Type.Optional(
          choice(["token", "password"], { description: "Default: password if one is set, else token." }),
        ),
        token: text("Shared token. Else OPENCLAW_GATEWAY_TOKEN.", { sensitive: true }),
        password: text("Shared password. Else OPENCLAW_GATEWAY_PASSWORD.", { sensitive: true }),
        allowTailscale: Type.Optional(Type.Boolean({ description: "Accept Tailscale Serve identity." })),
      },
      { additionalProperties: false },
    ),
    trustedProxies: Type.Array(Type.String(), { default: [], description: "Proxies whose forwarding headers count." }),
    tailscale: Type.Object(
      {
        mode: choice(["off", "serve", "funnel"], { default: "off", description: "Exposure through Tailscale." }),
        resetOnExit: Type.Boolean({ default: false, description: "Undo the exposure at stop." }),
      },
      { additionalProperties: false },
    ),
    remote: Type.Object(
      {
        url: text("ws:// or wss:// address of a remote gateway."),
        transport: choice(["ssh", "direct"], { default: "ssh", description: "How apps reach it." }),
        token: text("Token for calls.", { sensitive: true }),
        password: text("Password for calls.", { sensitive: true }),
        tlsFingerprint: text("Pinned SHA-256 fingerprint."),
        sshTarget: text("user@host of the tunnel."),
        sshIdentity: text("Identity file of the tunnel."),
      },
      { additionalProperties: false, reload: "live" },
    ),
    reload: Type.Object(
      {
        mode: choice(["off", "restart", "hot", "hybrid"], {
          default: "hybrid",
          description: "What a changed file does.",
        }),
        debounceMs: Type.Integer({ default: 300, minimum: 0, description: "Quiet time before a change is read." }),
        deferralTimeoutMs: Type.Integer({
          default: 300_000,
          minimum: 0,
          description: "Longest wait for runs before a planned restart.",
        }),
      },
      { additionalProperties: false, reload: "live" },
    ),
    controlUi: Type.Object(
      {
        enabled: Type.Boolean({ default: true, description: "Serve the web app." }),
        basePath: Type.String({ default: "", description: "URL prefix such as /x." }),
        root: text("Folder served instead of the bundled app."),
        allowedOrigins: Type.Array(Type.String(), { default: [], description: "Further browser origins." }),
        allowInsecureAuth: Type.Boolean({
          default: false,
          description: "Let the web app in with the secret alone over plain HTTP.",
        }),
        dangerouslyDisableDeviceAuth: Type.Boolean({
          default: false,
          description: "Ignore the device of the web app.",
        }),
        dangerouslyAllowHostHeaderOriginFallback: Type.Boolean({
          default: false,
          description: "Accept an origin that equals any Host header.",
        }),
      },
      { additionalProperties: false },
    ),
    tls: Type.Object(
      {
        enabled: Type.Boolean({ default: false, description: "wss and https on the port." }),
        autoGenerate: Type.Boolean({ default: true, description: "Make a self-signed pair." }),
        certPath: text("Certificate file."),
        keyPath: text("Key file."),
        caPath: text("CA file."),
      },
      { additionalProperties: false },
    ),
    http: Type.Object(
      {
        endpoints: Type.Object(
          {
            chatCompletions: Type.Object(
              {
                enabled: Type.Boolean({ default: false, description: "Serve /v1/chat/completions." }),
                images: Type.Optional(
                  Type.Object(
                    { allowUrl: Type.Boolean({ default: false, description: "Fetch images given by URL." }) },
                    { additionalProperties: false, description: "Input images." },
                  ),
                ),
              },
              { additionalProperties: false },
            ),
            responses: Type.Object(
              {
                enabled: Type.Boolean({ default: false, description: "Serve /v1/responses." }),
                maxBodyBytes: Type.Integer({ default: 20_971_520, minimum: 1, description: "Largest request body." }),
                files: Type.Optional(
                  limits("Input files.", {
                    maxBytes: Type.Integer({ default: 5_242_880, minimum: 1 }),
                    maxChars: Type.Integer({ default: 200_000, minimum: 1 }),
                    ...pdf,
                  }),
                ),
                images: Type.Optional(
                  limits("Input images.", { maxBytes: Type.Integer({ default: 10_485_760, minimum: 1 }) }),
                ),
              },
              { additionalProperties: false },
            ),
          },
          { additionalProperties: false },
        ),
        cors: Type.Optional(
          Type.Object(
            {
              allowedOrigins: Type.Array(Type.String(), {
                default: [],
                description: "Origins whose pages may call /v1 across sites. None by default.",
              }),
            },
            { additionalProperties: false, description: "Calls from pages of other origins." },
          ),
        ),
        securityHeaders: Type.Optional(
          Type.Object(
            {
              strictTransportSecurity: text("Value of the header Strict-Transport-Security, sent where TLS ends here."),
            },
            { additionalProperties: false, description: "Headers of every answer." },
          ),
        ),
      },
      { additionalProperties: false, reload: "live" },
    ),
    tools: Type.Object(
      {
        allow: Type.Optional(
          Type.Array(Type.String(), { description: "Tools that /tools/invoke offers although it leaves them out." }),
        ),
        deny: Type.Optional(Type.Array(Type.String(), { description: "Tools that /tools/invoke leaves out too." })),
      },
      { additionalProperties: false, reload: "live", description: "Which tools /tools/invoke offers." },
    ),
    metrics: Type.Object(
      {
        enabled: Type.Optional(
          Type.Boolean({ description: "Serve /metrics. Default: only while nothing but loopback is listened on." }),
        ),
        token: text("A secret that opens /metrics and nothing else.", { sensitive: true }),
      },
      { additionalProperties: false, reload: "live" },
    ),
    nodes: Type.Object(
      {
        browser: Type.Object(
          {
            mode: choice(["auto", "manual", "off"], { default: "auto", description: "Route browser calls to a node." }),
            node: text("Pinned node id or name."),
          },
          { additionalProperties: false },
        ),
        allowCommands: Type.Optional(
          Type.Array(Type.String(), { description: "Node commands allowed besides the defaults." }),
        ),
        denyCommands: Type.Optional(
          Type.Array(Type.String(), { description: "Node commands removed from the defaults." }),
        ),
      },
      { additionalProperties: false },
    ),
    safeMode: Type.Object(
      {
        maxUncleanBoots: Type.Integer({
          default: 3,
          minimum: 1,
          description: "Unclean boots within the window that lead to safe mode.",
        }),
        windowMs: Type.Integer({ default: 300_000, minimum: 1, description: "Window of those boots." }),
      },
      { additionalProperties: false },
    ),
    limits: Type.Object(
      {
        maxBufferedBytes: Type.Integer({
          default: 1_572_864,
          minimum: 16_384,
          description: "Bytes of events that may wait for one client before it counts as slow.",
        }),
        handshakeTimeoutMs: Type.Integer({
          default: 10_000,
          minimum: 100,
          description: "Time from accept to hello-ok.",
        }),
      },
      { additionalProperties: false },
    ),
  },
);

export type GatewayConfig = SectionValue<typeof gatewaySection>;
