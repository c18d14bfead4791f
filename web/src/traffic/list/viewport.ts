// Which rows of a virtual list are to be drawn, and where. Pure.

/** Rows drawn above and below what is seen: a scroll shows them before the next frame. */
const SPARE_ROWS = 16;

export interface Span {
  from: number;
  to: number;
}

/**
 * Numbers of the rows to draw.
 *
 * top: pixels scrolled past the first row; height: pixels that are seen; first, end: of the rows.
 */
export function visible(
  top: number,
  height: number,
  rowHeight: number,
  first: number,
  end: number,
): Span {
  const from = first + Math.floor(top / rowHeight) - SPARE_ROWS;
  const to = first + Math.ceil((top + height) / rowHeight) + SPARE_ROWS;
  const begin = Math.min(Math.max(first, from), Math.max(first, end - 1));
  return { from: begin, to: Math.max(begin, Math.min(end, to)) };
}

/** How far to scroll so that a row is seen, none if it is; pixels as in `visible`. */
export function reveal(
  index: number,
  top: number,
  height: number,
  rowHeight: number,
): number | null {
  const rowTop = index * rowHeight;
  if (rowTop < top) return rowTop;
  const below = rowTop + rowHeight - (top + height);
  return below > 0 ? top + below : null;
}

/** Where a key moves the selection; null if it is none that moves. page: rows seen at once. */
export function moved(key: string, at: number | null, span: Span, page: number): number | null {
  const last = span.to - 1;
  if (last < span.from) return null;
  const from = at ?? (key === "ArrowUp" || key === "PageUp" ? last + 1 : span.from - 1);
  const clamp = (value: number) => Math.min(last, Math.max(span.from, value));
  switch (key) {
    case "ArrowUp":
      return clamp(from - 1);
    case "ArrowDown":
      return clamp(from + 1);
    case "PageUp":
      return clamp(from - page);
    case "PageDown":
      return clamp(from + page);
    case "Home":
      return span.from;
    case "End":
      return last;
    default:
      return null;
  }
}
