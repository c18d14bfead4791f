// How lines are told apart: by colour and by dash. Numbers past the last colour begin again.
import "./series.css";

export const COLOURS = 8;
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4]];

/** Name of the custom property (series.css) that has the colour of a line. */
export function colourName(style: number): string {
  return `--series-${style % COLOURS}`;
}

/** Lengths of dashes and gaps, in pixels; two lines of one colour have different ones. */
export function dash(style: number): number[] {
  return DASHES[(style + Math.floor(style / COLOURS)) % DASHES.length] ?? [];
}

/** A piece of the line, for legends and tables. */
export function Sample({ style }: { style: number }) {
  return (
    <svg class="line-sample" viewBox="0 0 28 10" aria-hidden="true">
      <line
        x1="0"
        y1="5"
        x2="28"
        y2="5"
        stroke={`var(${colourName(style)})`}
        stroke-dasharray={dash(style).join(" ")}
      />
    </svg>
  );
}
