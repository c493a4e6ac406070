import { bytes, duration } from "../../app/format.ts";
import { now } from "../../app/clock.ts";
import { useApp } from "../../app/app.ts";
import { Ago } from "../../ui/index.ts";
import { Sparkline } from "./sparkline.tsx";
import { answerEveryMs, healthEveryMs, type Sample, type Vitals } from "./vitals.ts";

const ms = (value: number): string => (value < 10 ? `${value.toFixed(1)} ms` : duration(value));

export function VitalsCards({ vitals }: { vitals: Vitals }) {
  const { delay, busy, memory, answer } = vitals.series.value;
  const cpu = vitals.health.value?.value.eventLoop?.cpuCoreRatio;
  return (
    <section class="vitals" aria-label="Live figures">
      <Vital
        title="Event loop"
        samples={delay}
        everyMs={healthEveryMs}
        least={50}
        show={ms}
        say="99 of 100 waits are shorter"
      />
      <Vital
        title="Busy"
        samples={busy}
        everyMs={healthEveryMs}
        least={100}
        show={(value) => `${Math.round(value)} %`}
        say={cpu === undefined ? "of the time" : `of the time, ${cpu.toFixed(2)} cores`}
      />
      {memory.length > 0 && (
        <Vital
          title="Memory"
          samples={memory}
          everyMs={healthEveryMs}
          least={64 * 1024 * 1024}
          show={bytes}
          say="of the gateway's process"
        />
      )}
      <Vital
        title="Answers"
        samples={answer}
        everyMs={answerEveryMs}
        least={20}
        show={ms}
        say="from here to the gateway and back"
      />
    </section>
  );
}

interface VitalProps {
  title: string;
  samples: readonly Sample[];
  /** Between two samples, when all is well. */
  everyMs: number;
  least: number;
  show: (value: number) => string;
  say: string;
}

function Vital({ title, samples, everyMs, least, show, say }: VitalProps) {
  const { link } = useApp();
  const last = samples.at(-1);
  const highest = Math.max(0, ...samples.map(({ value }) => value));
  const shown = last === undefined ? "–" : show(last.value);
  const late = last !== undefined && now().value - last.at > 2.5 * everyMs;
  return (
    <div class={`card vital ${late || !link.connected.value ? "stale" : ""}`.trimEnd()}>
      <h2>{title}</h2>
      <p class="vital-now number">{shown}</p>
      <Sparkline
        samples={samples}
        least={least}
        holeMs={2.5 * everyMs}
        label={last === undefined ? `${title}: no figures yet` : `${title}: now ${shown}, at most ${show(highest)}`}
      />
      <p class="dim small">
        {last === undefined ? (
          "Waiting for the first figure"
        ) : (
          <>
            {say}
            {samples.length > 1 && `; at most ${show(highest)}`}
            <br />
            <Ago at={last.at} />
          </>
        )}
      </p>
    </div>
  );
}
