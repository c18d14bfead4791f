// Which row is selected, and whether its details are open; the address has the entry.
import { batch, computed, effect, signal } from "@preact/signals";
import { change } from "../route";
import { chosen } from "./question";
import { following, nameOf, rows, version } from "./rows";

/** Number of the selected row; it may have left the list since. */
const selected = signal<number | null>(null);

export const selection = computed<number | null>(() => {
  version.value;
  const number = selected.value;
  return number !== null && rows.at(number) ? number : null;
});

/** The row to scroll to; the list does so, and sets it back. */
export const sought = signal<number | null>(null);

/** So many of the newest rows are searched for the entry of a link. */
const SEARCHED_ROWS = 10_000;

/** The entry that the list was searched for. */
let searched = "";

// The address may name an entry that nobody selected: by a link, or a step back. Its row is selected
// as soon as it is there; until then none is.
effect(() => {
  version.value;
  const name = chosen.value;
  if (name === searched || (name && rows.size === 0)) return;
  searched = name;
  const now = selected.peek() === null ? undefined : rows.at(selected.peek() ?? 0);
  if (!name || (now && nameOf(now) === name)) return;
  const found = numberOf(name);
  batch(() => {
    selected.value = found;
    if (found === null) return;
    following.value = false;
    sought.value = found;
  });
});

function numberOf(name: string): number | null {
  const last = Math.max(rows.first, rows.end - SEARCHED_ROWS);
  for (let number = rows.end - 1; number >= last; number--) {
    const row = rows.at(number);
    if (row && nameOf(row) === name) return number;
  }
  return null;
}

let pending: ReturnType<typeof setTimeout> | undefined;

/** Select a row. open: show its details too; open details always follow the selection. */
export function activate(number: number, open: boolean): void {
  const row = rows.at(number);
  if (!row) return;
  selected.value = number;
  clearTimeout(pending);
  if (open) change({ entry: nameOf(row) }, chosen.peek() !== "");
  // Browsers count changes of the address: not one for each row that a held key passes.
  else if (chosen.peek()) pending = setTimeout(() => change({ entry: nameOf(row) }, true), 120);
}

/** Show the details of an entry that may not be in the list. */
export function show(name: string): void {
  clearTimeout(pending);
  change({ entry: name });
}

export function closeDetails(): void {
  clearTimeout(pending);
  if (chosen.peek()) change({ entry: "" });
}
