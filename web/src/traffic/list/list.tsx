// The list of requests: only the rows that are seen are in the document.
import { batch, signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { cellChoices, rowChoices } from "../filter/compose";
import { openMenu } from "../filter/menu";
import { loadOlder } from "../question";
import { following, older, rows, version } from "../rows";
import { activate, selection, sought } from "../selection";
import { CellFilter, cellAt, numberAt, point, pointed } from "./cellfilter";
import { Edge } from "./edge";
import "./list.css";
import { RowLine, rowId } from "./row";
import { moved, reveal, visible } from "./viewport";

const ROW_PX = 28;
const TWO_LINES_PX = 50;
/** Below this width a row takes two lines. */
const NARROW_PX = 620;
const HEAD_PX = 30;
/** The line above the oldest row. */
const EDGE_PX = 34;
/** How near the oldest row older ones are asked for. */
const NEAR_PX = 1200;
/** Elements of rows are used again for others, told by their number modulo this. */
const ELEMENTS = 512;

const COLUMNS = [
  ["time", "Time"],
  ["src", "Source"],
  ["dst", "Service"],
  ["endpoint", "Pod"],
  ["protocol", "Protocol"],
  ["request", "Request"],
  ["status", "Status"],
  ["elapsed", "ms"],
] as const;

const scroll = signal({ top: 0, height: 0, width: 1000 });

export function List({ label }: { label: string }) {
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef({ first: rows.first, top: 0, seenPx: 0 });
  version.value;
  const narrow = scroll.value.width < NARROW_PX;
  const rowPx = narrow ? TWO_LINES_PX : ROW_PX;
  const headPx = narrow ? 0 : HEAD_PX;
  const seenPx = scroll.value.height - headPx;
  const span = visible(scroll.value.top - EDGE_PX, seenPx, rowPx, rows.first, rows.end);
  const selected = selection.value;

  useEffect(() => (scroller.current ? measure(scroller.current) : undefined), []);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const grown = anchor.current.first - rows.first;
    anchor.current.first = rows.first;
    if (following.value) {
      element.scrollTop = element.scrollHeight;
      pointed.value = null;
    } else if (grown > 0) element.scrollTop += grown * rowPx;
    if (sought.value !== null && seenPx > 0) {
      toRow(element, sought.value);
      sought.value = null;
    }
    if (anchor.current.seenPx !== seenPx) {
      // The list became smaller: what is selected stays in sight.
      anchor.current.seenPx = seenPx;
      if (selected !== null && !following.value) toRow(element, selected);
    }
    anchor.current.top = element.scrollTop;
    if (scroll.value.top !== element.scrollTop) {
      scroll.value = { ...scroll.value, top: element.scrollTop };
    }
  });

  function toRow(element: HTMLElement, number: number) {
    const at = reveal(number - rows.first, element.scrollTop - EDGE_PX, seenPx, rowPx);
    if (at !== null) element.scrollTop = number === rows.first ? 0 : at + EDGE_PX;
  }

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const { scrollTop, clientHeight, scrollHeight } = element;
    const atEnd = scrollHeight - scrollTop - clientHeight < rowPx / 2;
    batch(() => {
      pointed.value = null;
      if (atEnd) following.value = true;
      else if (scrollTop < anchor.current.top - 1) following.value = false;
      scroll.value = { ...scroll.value, top: scrollTop };
    });
    anchor.current.top = scrollTop;
    if (!following.peek() && scrollTop < NEAR_PX) void loadOlder();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const element = scroller.current;
    const all = { from: rows.first, to: rows.end };
    const page = Math.max(1, Math.floor(seenPx / rowPx) - 1);
    const row = selected === null ? undefined : rows.at(selected);
    if (event.key === "f" && row && element) {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      openMenu(rowChoices(row), left + 40, top + 60, element);
      return;
    }
    const target = moved(event.key, row ? selected : null, all, page);
    if (event.key === "Enter" && selected !== null && row) {
      activate(selected, true);
      event.preventDefault();
    } else if (target !== null && element) {
      event.preventDefault();
      batch(() => {
        following.value = event.key === "End";
        activate(target, false);
      });
      toRow(element, target);
    }
  }

  function onContextMenu(event: MouseEvent) {
    const number = numberAt(event.target);
    const row = number === null ? undefined : rows.at(number);
    const cell = cellAt(event.target);
    if (!row || !cell) return;
    event.preventDefault();
    openMenu(cellChoices(row, cell), event.clientX, event.clientY, scroller.current);
  }

  function onClick(event: MouseEvent) {
    const number = numberAt(event.target);
    if (number === null) return;
    batch(() => {
      following.value = false;
      activate(number, true);
    });
  }

  return (
    <div class="list" onMouseLeave={unpoint}>
      <div
        class="scroller"
        ref={scroller}
        role="grid"
        tabIndex={0}
        id="rows"
        aria-label={label}
        aria-rowcount={rows.size + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={
          selected !== null && selected >= span.from && selected < span.to
            ? rowId(selected)
            : undefined
        }
        data-narrow={narrow || undefined}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onContextMenu={onContextMenu}
        onPointerOver={(event) => point(event.target)}
      >
        <div role="rowgroup" class="head">
          <div role="row" aria-rowindex={1} class="columns">
            {COLUMNS.map(([name, title]) => (
              <span role="columnheader" class={name} key={name}>
                {title}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="canvas" style={{ height: `${EDGE_PX + rows.size * rowPx}px` }}>
          {numbers(span.from, span.to).map((number) => {
            const row = rows.at(number);
            return (
              row && (
                <RowLine
                  key={((number % ELEMENTS) + ELEMENTS) % ELEMENTS}
                  row={row}
                  number={number}
                  index={number - rows.first + 1}
                  top={EDGE_PX + (number - rows.first) * rowPx}
                  selected={number === selected}
                />
              )
            );
          })}
        </div>
      </div>
      {scroll.value.top < EDGE_PX && <Edge state={older.value} top={headPx - scroll.value.top} />}
      <CellFilter />
    </div>
  );
}

const unpoint = () => {
  pointed.value = null;
};

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Follow the size of what is seen; returns what ends that. */
function measure(element: HTMLElement): () => void {
  const observer = new ResizeObserver(() => {
    const { clientHeight: height, clientWidth: width } = element;
    scroll.value = { ...scroll.value, height, width };
  });
  observer.observe(element);
  return () => observer.disconnect();
}
