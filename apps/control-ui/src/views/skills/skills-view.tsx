/** What the agents have learned, and what each skill still needs. What the gateway does not offer to change is only shown. */
import { useState } from "preact/hooks";
import { GraduationCap } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Empty, Loaded, Page, SearchField, Section } from "../../ui/index.ts";
import "../../style/views.css";
import "./skills.css";
import { SkillCard } from "./skill-card.tsx";
import { groupsOf } from "./skill-groups.ts";

export default function SkillsView() {
  const { link } = useApp();
  const [text, setText] = useState("");
  const skills = useQuery(link, "skills", { load: (gateway) => gateway.call("skills.status", {}) });
  return (
    <Page title="Skills" lead="What the agents have learned.">
      <Loaded query={skills} what="skills">
        {(data) => {
          if (data.skills.length === 0)
            return (
              <Empty icon={GraduationCap} title="No skill yet">
                <p>
                  A skill is a folder with a SKILL.md. Put one below <code>{data.workspaceDir}/skills</code> for one
                  agent, or below <code>{data.managedSkillsDir}</code> for all.
                </p>
              </Empty>
            );
          const groups = groupsOf(data.skills, text);
          return (
            <div class="skill-groups">
              <SearchField label="Search skills" value={text} onText={setText} />
              {groups.length === 0 && <Empty title="No skill fits" />}
              {groups.map(({ source, skills: list }) => (
                <Section key={source} title={source}>
                  <ul class="grid">
                    {list.map((skill) => (
                      <SkillCard key={skill.skillKey} skill={skill} onChanged={() => void skills.refresh()} />
                    ))}
                  </ul>
                </Section>
              ))}
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}
