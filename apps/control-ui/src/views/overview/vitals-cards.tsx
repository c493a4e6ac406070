import { bytes, duration } from "../../app/format.ts";
import { useApp } from "../../app/app.ts";
import { Ago } from "../../ui/index.ts";
import { Sparkline } from "./sparkline.tsx";
import type { Sample, Vitals } from "./vitals.ts";

const ms = (value: number): string => (value < 10 ? `${value.toFixed(1)} ms` : duration(value));

export function VitalsCards({ vitals }: { vitals: Vitals }) {
  const { link } = useApp();
  const { delay, busy, memory, answer } = vitals.series.value;
  const live = link.connected.value;
  const cpu = vitals.health.value?.value.eventLoop?.cpuCoreRatio;
  return (
    <section class="vitals" aria-label="Live figures">
      <Vital title="Event loop" samples={delay} least={50} show={ms} live={live} say="99 of 100 waits are shorter" />
      <Vital
        title="Busy"
        samples={busy}
        least={100}
        show={(value) => `${Math.round(value)} %`}
        live={live}
        say={cpu === undefined ? "of the time" : `of the time, ${cpu.toFixed(2)} cores`}
      />
      {memory.length > 0 && (
        <Vital
          title="Memory"
          samples={memory}
          least={64 * 1024 * 1024}
          show={bytes}
          live={live}
          say="of the gateway's process"
        />
      )}
      <Vital
        title="Answers"
        samples={answer}
        least={20}
        show={ms}
        live={live}
        say="from here to the gateway and back"
      />
    </section>
  );
}

interface VitalProps {
  title: string;
  samples: readonly Sample[];
  least: number;
  show: (value: number) => string;
  live: boolean;
  say: string;
}

function Vital({ title, samples, least, show, live, say }: VitalProps) {
  const last = samples.at(-1);
  const highest = Math.max(0, ...samples.map(({ value }) => value));
  const now = last === undefined ? "–" : show(last.value);
  return (
    <div class={`card vital ${live ? "" : "stale"}`.trimEnd()}>
      <h2>{title}</h2>
      <p class="vital-now number">{now}</p>
      <Sparkline
        samples={samples}
        least={least}
        label={last === undefined ? `${title}: no figures yet` : `${title}: now ${now}, at most ${show(highest)}`}
      />
      <p class="dim small">
        {last === undefined ? (
          "Waiting for the first figure"
        ) : live ? (
          `${say}; at most ${show(highest)}`
        ) : (
          <Ago at={last.at} />
        )}
      </p>
    </div>
  );
}
