// What part of the map is seen: its arithmetic. A point p of the map is seen at p * scale + (x, y).
import { LABEL, type Layout, LOOP_HEIGHT, NODE, type Point } from "./layout";

export interface View {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const MIN_SCALE = 0.1;
const MAX_SCALE = 3;
// A map of two things does not fill a wide screen.
const MAX_FIT = 1.15;
// Room for the buttons above and the card below.
const MARGIN = { side: 24, top: 60, bottom: 92 };

/** Nearer by a factor, with a point of the screen staying where it is. */
export function zoomed(view: View, factor: number, around: Point): View {
  const scale = clamped(view.scale * factor, MIN_SCALE, MAX_SCALE);
  const part = scale / view.scale;
  return {
    scale,
    x: around.x - (around.x - view.x) * part,
    y: around.y - (around.y - view.y) * part,
  };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** All of it in the middle. */
export function fitted(layout: Layout, size: Size): View {
  const box = boundsOf(layout);
  const scale = clamped(
    Math.min(
      (size.width - 2 * MARGIN.side) / (box.right - box.left),
      (size.height - MARGIN.top - MARGIN.bottom) / (box.bottom - box.top),
    ),
    MIN_SCALE,
    MAX_FIT,
  );
  return {
    scale,
    x: size.width / 2 - (scale * (box.left + box.right)) / 2,
    y: (size.height + MARGIN.top - MARGIN.bottom) / 2 - (scale * (box.top + box.bottom)) / 2,
  };
}

/** Moved by as little as brings a point of the map into sight. */
export function revealed(view: View, point: Point, size: Size): View {
  const margin = MARGIN.side + (NODE.width / 2) * view.scale;
  const x = point.x * view.scale + view.x;
  const y = point.y * view.scale + view.y;
  return panned(
    view,
    clamped(x, margin, Math.max(margin, size.width - margin)) - x,
    clamped(y, margin, Math.max(margin, size.height - margin)) - y,
  );
}

function boundsOf(layout: Layout) {
  const nodes = [...layout.nodes.values()];
  const labels = [...layout.edges.values()].flatMap(({ bends }) => bends);
  const xs = nodes.map(({ x }) => x);
  const ys = [...nodes, ...labels].map(({ y }) => y);
  const loops = [...layout.edges.values()].some(({ bends }) => bends.length === 0);
  const halfHeight = Math.max(NODE.height, LABEL.height) / 2;
  return {
    left: Math.min(...xs) - NODE.width / 2,
    right: Math.max(...xs) + NODE.width / 2,
    top: Math.min(...ys) - halfHeight - (loops ? LOOP_HEIGHT : 0),
    bottom: Math.max(...ys) + halfHeight,
  };
}

function clamped(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
