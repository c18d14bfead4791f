// What the endpoints got over time: as shares beside the equal one, or as layers of requests.
import { useSignal } from "@preact/signals";
import type { ServiceView } from "../messages";
import { Choice } from "../ui/choice";
import { Sample } from "../ui/series";
import { ChartTable } from "./chart-table";
import { Plot, type Series } from "./plot";
import { endpointKey, largest, movingShares, stacked } from "./share";
import "./chart.css";

// More lines than this say nothing; the table has all.
const MAX_LINES = 8;
// Shares of a bucket or two are noise: each point is of the last sixth of the window, or so.
const PART = 6;
const KINDS = [
  { value: "shares", text: "Shares" },
  { value: "requests", text: "Requests" },
] as const;
type Kind = (typeof KINDS)[number]["value"];

interface Props {
  service: ServiceView;
  times: readonly number[];
  styles: ReadonlyMap<string, number>;
}

interface Part {
  key: string;
  name: string;
  style: number;
  series: readonly number[];
}

export function Chart({ service, times, styles }: Props) {
  const kind = useSignal<Kind>("shares");
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const parts = partsOf(service, styles);
  const shown = parts.filter(({ key }) => !hidden.value.has(key));
  const width = Math.max(1, Math.round(times.length / PART));
  const toggle = (key: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(key)) next.add(key);
    hidden.value = next;
  };
  return (
    <figure class="chart" aria-labelledby="over-time">
      <figcaption>
        <h3 id="over-time">Over time</h3>
        <Choice
          label="Show over time"
          name="chart-kind"
          options={KINDS}
          chosen={kind.value}
          onChoose={(value) => {
            kind.value = value;
          }}
        />
      </figcaption>
      <Plot
        times={times}
        series={kind.value === "shares" ? shares(parts, shown, width, service) : layers(shown)}
        unit={kind.value}
      />
      <ul class="chart-legend" aria-label="Lines">
        {parts.map(({ key, name, style }) => (
          <li key={key}>
            <button type="button" aria-pressed={!hidden.value.has(key)} onClick={() => toggle(key)}>
              <Sample style={style} /> {name}
            </button>
          </li>
        ))}
      </ul>
      <p class="about">{caption(kind.value, times, width)}</p>
      <ChartTable times={times} parts={parts} />
    </figure>
  );
}

function partsOf(service: ServiceView, styles: ReadonlyMap<string, number>): Part[] {
  const all = service.endpoints.map((endpoint) => ({
    key: endpointKey(endpoint),
    name: endpoint.name || endpoint.ip,
    style: styles.get(endpointKey(endpoint)) ?? 0,
    series: endpoint.series,
  }));
  const { shown, others } = largest(all, MAX_LINES);
  if (others) {
    const name = `the ${all.length - shown.length} others`;
    shown.push({ key: "", name, style: all.length, series: others });
  }
  return shown;
}

/** Shares are of all, shown or not. */
function shares(
  parts: readonly Part[],
  shown: readonly Part[],
  width: number,
  service: ServiceView,
): Series[] {
  const all = movingShares(
    parts.map(({ series }) => series),
    width,
  );
  const lines: Series[] = shown.map((part) => ({
    name: part.name,
    style: part.style,
    values: all[parts.indexOf(part)] ?? [],
  }));
  const ready = service.endpoints.filter((endpoint) => endpoint.fair > 0);
  const equal = ready[0]?.fair;
  if (equal !== undefined && ready.length > 1)
    lines.push({ name: "equal share", style: null, values: (all[0] ?? []).map(() => equal) });
  return lines;
}

function layers(shown: readonly Part[]): Series[] {
  const tops = stacked(shown.map(({ series }) => series));
  return shown.map((part, at) => ({
    name: part.name,
    style: part.style,
    values: tops[at] ?? [],
    own: part.series,
  }));
}

function caption(kind: Kind, times: readonly number[], width: number): string {
  const step_s = Math.round(((times[1] ?? 0) - (times[0] ?? 0)) / 1000);
  if (kind === "requests") return `Requests in each ${step_s} s, one endpoint upon the other.`;
  return `Each point is the share of the requests in the ${width * step_s} s before it. The grey line is the equal share.`;
}
