/** Which gateway this page talks to, and with which secret. Nothing is tried before the button is pressed. */
import { useState } from "preact/hooks";
import { isGatewayUrl } from "../../app/address.ts";
import { defaultGatewayUrl } from "../../app/address.ts";
import { useApp } from "../../app/app.ts";
import { Button, Field } from "../../ui/index.ts";

export function ConnectionCard() {
  const { link, router, settings } = useApp();
  const [url, setUrl] = useState(link.url);
  const [token, setToken] = useState("");
  const [password, setPassword] = useState("");
  const valid = isGatewayUrl(url.trim());
  const connect = (event: Event) => {
    event.preventDefault();
    const address = url.trim();
    const own = defaultGatewayUrl(location, router.basePath);
    settings.change({ gatewayUrl: address === own ? "" : address });
    link.move(address);
    if (token !== "") link.secrets.useToken(token);
    else if (password !== "") link.secrets.usePassword(password);
    setToken("");
    setPassword("");
    link.restart();
  };
  return (
    <details class="card connection-card">
      <summary>This page's connection</summary>
      <form class="fields" onSubmit={connect}>
        <Field
          label="Gateway"
          help="Your secret is sent to this address. Enter only a gateway of yours."
          error={valid ? undefined : "An address begins with ws:// or wss://."}
        >
          {(attributes) => (
            <input
              {...attributes}
              value={url}
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => setUrl(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="fields two">
          <Field label="Token" help="Kept until this tab is closed. Empty: the one in use stays.">
            {(attributes) => (
              <input
                {...attributes}
                type="password"
                autocomplete="off"
                value={token}
                disabled={password !== ""}
                onInput={(event) => setToken(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label="Password" help="Never stored; only where the gateway asks for one.">
            {(attributes) => (
              <input
                {...attributes}
                type="password"
                autocomplete="off"
                value={password}
                disabled={token !== ""}
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            )}
          </Field>
        </div>
        <div>
          <Button type="submit" kind="primary" disabled={!valid}>
            Connect
          </Button>
        </div>
      </form>
    </details>
  );
}
