/** All sessions: found, looked into, changed, reset and deleted. */
import { useEffect, useState } from "preact/hooks";
import { MessageSquare } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { plural } from "../../app/format.ts";
import { useQuery } from "../../gateway/index.ts";
import { Empty, Loaded, Page, SearchField, Select } from "../../ui/index.ts";
import "../../style/views.css";
import "./sessions.css";
import { matching } from "./session-filter.ts";
import { SessionTable } from "./session-table.tsx";

const listLimit = 500;
const ages = [
  { value: "", label: "Any time" },
  { value: "60", label: "Last hour" },
  { value: "1440", label: "Last day" },
  { value: "10080", label: "Last week" },
];
const kinds = [
  { value: "", label: "All kinds" },
  { value: "direct", label: "Direct" },
  { value: "group", label: "Groups" },
  { value: "global", label: "Global" },
  { value: "unknown", label: "Unknown" },
];

export default function SessionsView() {
  const { link, router } = useApp();
  const { query: address } = router.current;
  const [text, setText] = useState(address.get("find") ?? "");
  const [kind, setKind] = useState("");
  const [age, setAge] = useState("");
  const sessions = useQuery(link, `sessions:${age}`, {
    load: (gateway) =>
      gateway.call("sessions.list", {
        limit: listLimit,
        includeGlobal: true,
        includeUnknown: true,
        includeDerivedTitles: true,
        ...(age === "" ? {} : { activeMinutes: Number(age) }),
      }),
  });
  // A streaming answer says nothing new about the list; its end does.
  useEffect(
    () => link.on("chat", ({ state }) => void (state === "delta" ? undefined : sessions.refresh())),
    [link, sessions],
  );
  return (
    <Page title="Sessions" lead="Every conversation the gateway keeps.">
      <div class="toolbar">
        <SearchField label="Search sessions" value={text} onText={setText} />
        <Select aria-label="Kind" value={kind} options={kinds} onPick={setKind} />
        <Select aria-label="Last used" value={age} options={ages} onPick={setAge} />
      </div>
      <Loaded query={sessions} what="sessions">
        {(data) => {
          const rows = matching(data.sessions, text, kind);
          if (data.sessions.length === 0)
            return (
              <Empty icon={MessageSquare} title={age === "" ? "No session yet" : "No session was used then"}>
                <p>A session begins with the first message, here or from a channel.</p>
              </Empty>
            );
          return (
            <>
              <p class="dim small" role="status">
                {rows.length === data.count
                  ? plural(rows.length, "session")
                  : `${rows.length} of ${plural(data.count, "session")}`}
              </p>
              {rows.length === 0 ? (
                <Empty title="No session fits">
                  <p>Search for a part of its name, key or model, or choose another kind.</p>
                </Empty>
              ) : (
                <SessionTable rows={rows} defaults={data.defaults} onChanged={() => void sessions.refresh()} />
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
