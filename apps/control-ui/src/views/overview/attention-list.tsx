import { CircleAlert, CircleCheck, TriangleAlert, UserRound } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Command, Link } from "../../ui/index.ts";
import type { Attention } from "./attention.ts";

const icons = { bad: CircleAlert, warn: TriangleAlert, live: UserRound };
const words = { bad: "Problem", warn: "Warning", live: "Request" };

/** `sure`: everything was asked and answered, so that an empty list means that all is well. */
export function AttentionList({ items, sure }: { items: readonly Attention[]; sure: boolean }) {
  const { router } = useApp();
  if (items.length === 0)
    return (
      <div class={`all-well ${sure ? "sure" : ""}`} role="status">
        {sure && <CircleCheck size={20} aria-hidden="true" />}
        <p>{sure ? "All is well. Nothing needs you." : "Looking…"}</p>
      </div>
    );
  return (
    <section class="section" aria-label="Needs attention">
      <ul class="attention">
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
