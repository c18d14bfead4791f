// What the endpoints got over time: as shares beside the equal one, or as layers of requests.
import { useSignal } from "@preact/signals";
import type { ServiceView } from "../messages";
import { Choice } from "../ui/choice";
import { clock, count, share } from "../ui/format";
import { Sample } from "../ui/series";
import { ChartTable } from "./chart-table";
import { Plot, type Series } from "./plot";
import { endpointKey, movingShares, stacked, together } from "./share";
import "./chart.css";

// More lines than this say nothing; the table has all.
const MAX_LINES = 12;
// Shares of a bucket or two are noise: each point is of the last sixth of the window, or so.
const PART = 6;
const OTHERS = "others";
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

type Line = Series & { key: string };

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
  const pointed = useSignal<number | null>(null);
  const toggle = (key: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(key)) next.add(key);
    hidden.value = next;
  };
  const lines = kind.value === "shares" ? shares(parts, width, service) : layers(shown);
  const drawn = lines.filter(({ key }) => !hidden.value.has(key));
  const at = pointed.value ?? times.length - 1;
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
        series={drawn}
        unit={kind.value}
        onPoint={(index) => {
          pointed.value = index;
        }}
      />
      <ul class="chart-legend" aria-label={`Lines, at ${clock(times[at] ?? 0)}`}>
        {parts.map(({ key, name, style }) => (
          <li key={key}>
            <button type="button" aria-pressed={!hidden.value.has(key)} onClick={() => toggle(key)}>
              <Sample style={style} /> {name}{" "}
              <Value line={drawn.find((each) => each.key === key)} at={at} />
            </button>
          </li>
        ))}
        <li class="time">at {clock(times[at] ?? 0)}</li>
      </ul>
      <p class="about">{caption(kind.value, times, width)}</p>
      <ChartTable times={times} parts={parts} />
    </figure>
  );
}

/** What a line is worth where the pointer is, or at its end. */
function Value({ line, at }: { line: Line | undefined; at: number }) {
  const value = line && (line.own ?? line.values)[at];
  if (value === undefined || value === null) return null;
  return <span class="worth">{line?.own ? count(value) : share(value)}</span>;
}

function partsOf(service: ServiceView, styles: ReadonlyMap<string, number>): Part[] {
  const all = service.endpoints.map((endpoint) => ({
    key: endpointKey(endpoint),
    name: endpoint.name || endpoint.ip,
    style: styles.get(endpointKey(endpoint)) ?? 0,
    series: endpoint.series,
  }));
  // Not the largest: those change places all the time where the shares are equal.
  all.sort((a, b) => a.style - b.style);
  if (all.length <= MAX_LINES) return all;
  const others = all.slice(MAX_LINES);
  return [
    ...all.slice(0, MAX_LINES),
    {
      key: OTHERS,
      name: `${others.length} others`,
      style: MAX_LINES,
      series: together(others.map(({ series }) => series)),
    },
  ];
}

function shares(parts: readonly Part[], width: number, service: ServiceView): Line[] {
  const all = movingShares(
    parts.map(({ series }) => series),
    width,
  );
  const lines: Line[] = parts.map(({ key, name, style }, at) => ({
    key,
    name,
    style,
    // The share of several together says nothing beside the equal one.
    values: key === OTHERS ? [] : (all[at] ?? []),
  }));
  const chances = service.endpoints.map(({ fair }) => fair).filter((fair) => fair > 0);
  // Of those that were ready all the time: who came later has less, by no fault of its own.
  const equal = Math.max(...chances);
  if (chances.length > 1)
    lines.push({
      key: "equal",
      name: "equal share",
      style: null,
      values: (all[0] ?? []).map((value) => (value === null ? null : equal)),
    });
  return lines;
}

function layers(shown: readonly Part[]): Line[] {
  // An empty layer would only draw its line over that of the one below.
  const filled = shown.filter(({ series }) => series.some((requests) => requests > 0));
  const tops = stacked(filled.map(({ series }) => series));
  return filled.map(({ key, name, style, series }, at) => ({
    key,
    name,
    style,
    values: tops[at] ?? [],
    own: series,
  }));
}

function caption(kind: Kind, times: readonly number[], width: number): string {
  const step_s = Math.round(((times[1] ?? 0) - (times[0] ?? 0)) / 1000);
  if (kind === "requests") return `Requests in each ${step_s} s, one endpoint upon the other.`;
  return `Each point is the share of the requests in the ${width * step_s} s before it. The grey line is what equal chances give to one that was ready all the time.`;
}
