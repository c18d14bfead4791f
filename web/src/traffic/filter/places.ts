// Places in a filter: the server counts characters (code points), the browser UTF-16 units. Pure.
import type { Completion, FilterProblem } from "../../messages";

/** UTF-16 offset of the character with this number, from 0. */
export function toUnits(text: string, characters: number): number {
  let units = 0;
  for (const char of text) {
    if (characters-- <= 0) break;
    units += char.length;
  }
  return units;
}

/** Number of characters before a UTF-16 offset. */
export function toCharacters(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}

/** What a problem is about, as UTF-16 offsets; at least a character, behind the end if need be. */
export function problemSpan(text: string, problem: FilterProblem): [number, number] {
  const lines = text.split("\n").slice(0, Math.max(0, problem.line - 1));
  const before = lines.reduce((sum, line) => sum + line.length + 1, 0);
  const rest = text.slice(before);
  const from = before + toUnits(rest, problem.column - 1);
  const to = before + toUnits(rest, Math.max(problem.end, problem.column + 1) - 1);
  return [from, Math.max(from + 1, to)];
}

/** The text with a completion taken at the cursor (UTF-16), and where the cursor is then. */
export function completed(text: string, cursor: number, taken: Completion): [string, number] {
  const start = toUnits(text, taken.start);
  return [text.slice(0, start) + taken.text + text.slice(cursor), start + taken.text.length];
}
