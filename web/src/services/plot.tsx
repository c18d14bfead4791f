// Lines over time, drawn by uPlot in the colours of the page.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { dark } from "../ui/dark";
import * as format from "../ui/format";
import { colourName, dash } from "../ui/series";
import "uplot/dist/uPlot.min.css";
import "./plot.css";

/**
 * A line. style null: the quiet line to compare with. own: of a layer upon others, the values
 * without those below it.
 */
export interface Series {
  name: string;
  style: number | null;
  values: readonly (number | null)[];
  own?: readonly number[];
}

interface Props {
  times: readonly number[];
  series: readonly Series[];
  unit: "shares" | "requests";
  /** Hears over which of the times the pointer is. */
  onPoint: (index: number | null) => void;
}

const HEIGHT = 220;

export function Plot({ times, series, unit, onPoint }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  // A change of these draws the plot again; other values are set in place.
  const shape = JSON.stringify([unit, dark.value, series.map(({ name, style }) => [name, style])]);
  useEffect(() => {
    if (!place.current) return;
    const element = place.current;
    const options = optionsOf(series, unit, element);
    const pointAt = ({ cursor }: uPlot) => onPoint(cursor.idx ?? null);
    const made = new uPlot(
      { ...options, hooks: { setCursor: [pointAt] } },
      dataOf(times, series, unit),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.setData(dataOf(times, series, unit));
  }, [times, series]);
  return (
    <div class="plot" ref={place} role="img" aria-label={`${unit} over time; the table has them`} />
  );
}

/** Layers are drawn from the top one down, so that each covers the part below it. */
function inOrder(series: readonly Series[], unit: Props["unit"]): Series[] {
  return unit === "requests" ? [...series].reverse() : [...series];
}

function dataOf(
  times: readonly number[],
  series: readonly Series[],
  unit: Props["unit"],
): uPlot.AlignedData {
  const lines = inOrder(series, unit).map(({ values }) => [...values]);
  return [times.map((time) => time / 1000), ...lines];
}

function optionsOf(
  series: readonly Series[],
  unit: Props["unit"],
  element: HTMLElement,
): uPlot.Options {
  const colour = (name: string) => resolved(element, name);
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: '12px system-ui, "DejaVu Sans", sans-serif',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      y: { range: (_, __, max) => [0, unit === "shares" ? upTo(max) : Math.max(1, max ?? 0)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 90,
        values: (_, ticks) => ticks.map((tick) => format.clock(tick * 1000)),
      },
      {
        ...axis,
        size: 56,
        values: (_, ticks) =>
          ticks.map((tick) => (unit === "shares" ? format.share(tick) : format.count(tick))),
      },
    ],
    series: [
      {},
      ...inOrder(series, unit).map(({ name, style }): uPlot.Series => {
        const stroke = colour(style === null ? "--quiet" : colourName(style));
        return {
          label: name,
          stroke,
          width: style === null ? 1.5 : 2,
          dash: style === null ? [3, 3] : dash(style),
          ...(unit === "requests" && {
            fill: `color-mix(in srgb, ${stroke} 45%, ${colour("--ground")})`,
          }),
          points: { show: false },
        };
      }),
    ],
  };
}

/** Where the axis of shares ends: a round number with some room above the highest line. */
function upTo(highest: number | null): number {
  return Math.min(1, Math.max(0.2, Math.ceil((highest ?? 1) * 12) / 10));
}

/** What a custom property is as a colour; canvases know neither `var` nor `light-dark`. */
function resolved(element: HTMLElement, name: string): string {
  const before = element.style.color;
  element.style.color = `var(${name})`;
  const colour = getComputedStyle(element).color;
  element.style.color = before;
  return colour;
}
