import { CircleAlert, CircleCheck, TriangleAlert, UserRound } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Ago, Command, Link, Notice } from "../../ui/index.ts";
import type { Attention } from "./attention.ts";

const icons = { bad: CircleAlert, warn: TriangleAlert, live: UserRound };
const words = { bad: "Problem", warn: "Warning", live: "Request" };

/** `all`: everything was asked and answered, so that an empty list means that all is well. */
export type Knowledge = "all" | "asking" | "partly" | "away";

const silences: Record<Knowledge, string> = {
  all: "All is well. Nothing needs you.",
  asking: "Looking…",
  partly: "Nothing is known to need you, but not everything could be asked.",
  away: "There is no connection, so nothing is known of now.",
};

interface AttentionListProps {
  items: readonly Attention[];
  knowledge: Knowledge;
  /** When the gateway was last heard. */
  at: number | undefined;
}

export function AttentionList({ items, knowledge, at }: AttentionListProps) {
  const { router } = useApp();
  if (items.length === 0)
    return (
      <div class={`all-well ${knowledge === "all" ? "sure" : ""}`.trimEnd()} role="status">
        {knowledge === "all" && <CircleCheck size={20} aria-hidden="true" />}
        <p>{silences[knowledge]}</p>
      </div>
    );
  return (
    <section class="section" aria-label="Needs attention">
      {knowledge === "away" && at !== undefined && (
        <Notice tone="warn">
          <p>
            Not live: this is what was known <Ago at={at} />.
          </p>
        </Notice>
      )}
      <ul class={`attention ${knowledge === "away" ? "stale" : ""}`.trimEnd()}>
        {items.map(({ id, tone, title, text, commands, place }) => {
          const Icon = icons[tone];
          return (
            <li key={id} class={tone}>
              <Icon size={20} aria-hidden="true" />
              <div class="attention-body">
                <h2>
                  <span class="sr-only">{words[tone]}: </span>
                  {title}
                </h2>
                <p>{text}</p>
                {commands.map((command) => (
                  <Command key={command} text={command} />
                ))}
              </div>
              {place && (
                <Link class="button" href={router.href(place.path, "", place.query)}>
                  {place.label}
                </Link>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
