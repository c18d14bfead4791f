// The button in the cell under the pointer: filter on its value. With the keyboard: f.
import { signal } from "@preact/signals";
import { type Cell, cellChoices } from "../filter/compose";
import { openMenu } from "../filter/menu";
import { rows } from "../rows";

interface Pointed {
  number: number;
  cell: Cell;
  /** Pixels in the list. */
  right: number;
  top: number;
}

/** The cell under the pointer; null while there is none, or the rows move. */
export const pointed = signal<Pointed | null>(null);

export function numberAt(target: EventTarget | null): number | null {
  const row = (target as Element | null)?.closest<HTMLElement>("[data-number]");
  return row ? Number(row.dataset.number) : null;
}

export function cellAt(target: EventTarget | null): Cell | null {
  const cell = (target as Element | null)?.closest<HTMLElement>("[data-cell]");
  return (cell?.dataset.cell as Cell | undefined) ?? null;
}

/** The pointer is on this. */
export function point(target: EventTarget | null): void {
  const number = numberAt(target);
  const cell = cellAt(target);
  const element = (target as Element).closest("[data-cell]");
  const list = (target as Element).closest(".list");
  const row = number === null ? undefined : rows.at(number);
  if (number === null || !cell || !row || !element || !list) {
    pointed.value = null;
    return;
  }
  if (cellChoices(row, cell).length === 0) return;
  const place = element.getBoundingClientRect();
  const frame = list.getBoundingClientRect();
  pointed.value = {
    number,
    cell,
    right: frame.right - place.right,
    top: place.top - frame.top + place.height / 2,
  };
}

export function CellFilter() {
  const at = pointed.value;
  const row = at ? rows.at(at.number) : undefined;
  if (!at || !row) return null;
  return (
    <button
      type="button"
      class="cellfilter"
      tabIndex={-1}
      aria-label="Filter on this value"
      title="Filter on this value"
      style={{ right: `${at.right}px`, top: `${at.top}px` }}
      onClick={(event) =>
        openMenu(cellChoices(row, at.cell), event.clientX, event.clientY, event.currentTarget)
      }
    >
      <FilterIcon />
    </button>
  );
}

export function FilterIcon() {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d="M1 1.5h10L7.2 6.2V11L4.8 9.6V6.2z" fill="currentColor" />
    </svg>
  );
}
