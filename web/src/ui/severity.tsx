// How bad something is: a sign and a word, and a colour besides.
import type { Finding } from "../messages";
import "./severity.css";

export type Level = Finding["severity"];

export const LEVELS: readonly Level[] = ["good", "note", "warning", "error"];

const SHAPES: Record<Level, string> = {
  good: "M3 8.5 6.5 12 13 4.5",
  note: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 1 1 0-13ZM8 7.5v3.5M8 4.8v.2",
  warning: "M8 2 15 14H1ZM8 6.5v3.5M8 11.8v.4",
  error: "M4 4l8 8M12 4l-8 8",
};

/** The sign with its word; bare: the word is for screen readers alone. */
export function Severity({ level, bare = false }: { level: Level; bare?: boolean }) {
  return (
    <span class="severity" data-severity={level} title={bare ? level : undefined}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[level]} />
      </svg>
      <span class={bare ? "unseen" : undefined}>{level}</span>
    </span>
  );
}
