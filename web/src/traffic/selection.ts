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

/** Whether the list was searched for the entry that the address names. */
let searched = "";

// A link names an entry: its row is selected as soon as it is there.
effect(() => {
  version.value;
  const name = chosen.value;
  if (selected.peek() !== null || name === searched || !name || rows.size === 0) return;
  searched = name;
  for (let number = rows.first; number < rows.end; number++) {
    const row = rows.at(number);
    if (row && nameOf(row) === name) {
      batch(() => {
        selected.value = number;
        following.value = false;
        sought.value = number;
      });
      return;
    }
  }
});

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
