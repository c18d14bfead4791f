// The shape of an outcome: told apart without colours.
import type { Tone } from "./format";

const SHAPES: Record<Tone, string> = {
  good: "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1z",
  quiet: "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  warning: "M6 .8 11.6 11H.4z",
  error: "M1.5 1.5h9v9h-9z",
  failure: "M2.6 1 6 4.4 9.4 1 11 2.6 7.6 6 11 9.4 9.4 11 6 7.6 2.6 11 1 9.4 4.4 6 1 2.6z",
  unknown: "M1 5h10v2H1z",
};

export function Mark({ tone }: { tone: Tone }) {
  return (
    <svg
      class="mark"
      data-tone={tone}
      viewBox="0 0 12 12"
      width="10"
      height="10"
      aria-hidden="true"
    >
      <path d={SHAPES[tone]} />
    </svg>
  );
}
