/** The agents of this gateway: who they are, which tools they may use, which skills they know. */
import { Bot } from "lucide-preact";
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Chip, Empty, Facts, Link, Loaded, Page, Section } from "../../ui/index.ts";
import "../../style/views.css";
import "./agents.css";
import { AgentFiles } from "./agent-files.tsx";

type AgentsList = MethodResult<"agents.list">;
type Agent = AgentsList["agents"][number];

export default function AgentsView() {
  const { link, router } = useApp();
  const agents = useQuery(link, "agents", { load: (gateway) => gateway.call("agents.list", {}) });
  const asked = router.current.rest;
  return (
    <Page title="Agents" lead="Who answers here, and with what.">
      <Loaded query={agents} what="agents">
        {(data) => {
          if (data.agents.length === 0)
            return (
              <Empty icon={Bot} title="No agent">
                <p>Add one under agents.list in the config.</p>
              </Empty>
            );
          const chosen = data.agents.find(({ id }) => id === asked) ?? data.agents[0];
          return (
            <div class="agents">
              <nav aria-label="Agents" class="agent-list">
                {data.agents.map((agent) => (
                  <Link
                    key={agent.id}
                    href={router.href("/agents", agent.id)}
                    {...(agent.id === chosen?.id ? { "aria-current": "true" as const } : {})}
                  >
                    <Face agent={agent} />
                    <span>
                      <b>{nameOf(agent)}</b>
                      <span class="dim small">{agent.id === data.defaultId ? "default agent" : agent.id}</span>
                    </span>
                  </Link>
                ))}
              </nav>
              {chosen && <AgentDetail key={chosen.id} agent={chosen} list={data} />}
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}

const nameOf = ({ id, name, identity }: Agent): string => identity?.name ?? name ?? id;

function Face({ agent }: { agent: Agent }) {
  const { emoji } = agent.identity ?? {};
  return (
    <span class="agent-face" aria-hidden="true">
      {emoji ?? nameOf(agent).slice(0, 1).toUpperCase()}
    </span>
  );
}

function AgentDetail({ agent, list }: { agent: Agent; list: AgentsList }) {
  const { link, router } = useApp();
  const mainKey = `agent:${agent.id}:${list.mainKey}`;
  return (
    <div class="agent-detail">
      <div class="card">
        <div class="card-head">
          <div class="card-title">
            <h2>{nameOf(agent)}</h2>
            {agent.id === list.defaultId && <Chip tone="live">default</Chip>}
          </div>
          <div class="actions">
            <Link class="button" href={router.href("/chat", mainKey)}>
              Talk
            </Link>
            <Link class="button" href={router.href("/config", "", { path: "agents.list" })}>
              Settings
            </Link>
          </div>
        </div>
        {agent.identity?.theme !== undefined && <p class="dim">{agent.identity.theme}</p>}
        <Facts
          rows={[
            ["Id", <code>{agent.id}</code>],
            ["Main session", <code>{mainKey}</code>],
          ]}
        />
      </div>
      {link.offers("agents.files.list") && <AgentFiles agentId={agent.id} />}
      {link.offers("tools.catalog") && <Tools agentId={agent.id} />}
      {link.offers("skills.status") && <AgentSkills agentId={agent.id} />}
    </div>
  );
}

interface ToolGroup {
  id: string;
  label: string;
  tools: { id: string; label: string; description: string }[];
}

function Tools({ agentId }: { agentId: string }) {
  const { link } = useApp();
  const tools = useQuery(link, `tools:${agentId}`, {
    load: async (gateway) => (await gateway.callAny("tools.catalog", { agentId })) as { groups: ToolGroup[] },
  });
  return (
    <Section title="Tools">
      <Loaded query={tools} what="tools" skeletonLines={3}>
        {({ groups }) =>
          groups.length === 0 ? (
            <p class="dim">This agent has no tools.</p>
          ) : (
            <div class="cards">
              {groups.map((group) => (
                <details key={group.id} class="card">
                  <summary>
                    <b>{group.label}</b> <span class="dim">{group.tools.map(({ id }) => id).join(", ")}</span>
                  </summary>
                  <dl class="tool-list">
                    {group.tools.map((tool) => (
                      <div key={tool.id}>
                        <dt>
                          <code>{tool.id}</code>
                        </dt>
                        <dd class="dim">{tool.description}</dd>
                      </div>
                    ))}
                  </dl>
                </details>
              ))}
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}

function AgentSkills({ agentId }: { agentId: string }) {
  const { link, router } = useApp();
  const skills = useQuery(link, `skills:${agentId}`, { load: (gateway) => gateway.call("skills.status", { agentId }) });
  return (
    <Section title="Skills">
      <Loaded query={skills} what="skills" skeletonLines={2}>
        {(data) =>
          data.skills.length === 0 ? (
            <p class="dim">
              No skill is installed. Skills are folders with a SKILL.md below <code>{data.managedSkillsDir}</code>.
            </p>
          ) : (
            <div class="chips">
              {data.skills.map((skill) => (
                <Chip
                  key={skill.skillKey}
                  title={skill.description}
                  {...(skill.eligible ? {} : { tone: "warn" as const })}
                >
                  {skill.name}
                  {skill.eligible ? "" : skill.disabled ? " (off)" : " (incomplete)"}
                </Chip>
              ))}
              <Link href={router.href("/skills")}>All skills</Link>
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}
