// How the lines of the map run, and how thick they are.
import { edgeKey, type Layout, LOOP_HEIGHT, NODE, type Pair, type Point } from "./layout";

const THINNEST = 1.25;
const THICKEST = 7;

// Between lines at a side of a node, and for all of them.
const PORT_STEP = 10;
const PORT_ROOM = 34;

/** Thickness of a line: tenfold requests are as much thicker again. */
export function thickness(perSecond: number): number {
  return Math.min(THICKEST, THINNEST + 1.4 * Math.log10(1 + 10 * perSecond));
}

/** The `d` of an SVG path, and where its numbers are. */
export interface Line {
  d: string;
  label: Point;
}

/** How far from the middles of its nodes' sides a line leaves and arrives. */
export interface Ports {
  leaves: number;
  arrives: number;
}

/**
 * Level where it passes a column, in a curve between; `tip` is left free for the arrow's head.
 */
export function lineOf(
  edge: Pair,
  layout: Layout,
  ports: Ports | undefined,
  tip: number,
): Line | null {
  const way = layout.edges.get(edgeKey(edge));
  const source = layout.nodes.get(edge.source);
  const target = layout.nodes.get(edge.target);
  if (!way || !source || !target) return null;
  if (edge.source === edge.target) return loop(source, tip);
  const leaves = towards(source, way.bends[0] ?? target);
  const arrives = towards(way.bends.at(-1) ?? source, target);
  let from = {
    x: source.x + (leaves * NODE.width) / 2,
    y: source.y + (ports?.leaves ?? 0),
  };
  let d = `M${text(from)}`;
  for (const bend of way.bends) {
    const side = towards(from, bend);
    const enter = { x: bend.x - side * bend.half, y: bend.y };
    const leave = { x: bend.x + side * bend.half, y: bend.y };
    d += `${curve(from, enter)}L${text(leave)}`;
    from = leave;
  }
  const end = {
    x: target.x - arrives * (NODE.width / 2 + tip),
    y: target.y + (ports?.arrives ?? 0),
  };
  return { d: d + curve(from, end), label: way.bends[way.label] ?? source };
}

/** Lines that meet the same side of a node meet it one below the other, in the order they come. */
export function portsOf(edges: readonly Pair[], layout: Layout): ReadonlyMap<string, Ports> {
  const sides = new Map<string, { y: number; set: (offset: number) => void }[]>();
  const ports = new Map<string, Ports>();
  for (const edge of edges) {
    const way = layout.edges.get(edgeKey(edge));
    const [source, target] = [layout.nodes.get(edge.source), layout.nodes.get(edge.target)];
    if (!way || !source || !target || edge.source === edge.target) continue;
    const own: Ports = { leaves: 0, arrives: 0 };
    ports.set(edgeKey(edge), own);
    const first = way.bends[0] ?? target;
    const last = way.bends.at(-1) ?? source;
    meet(`${edge.source} ${towards(source, first)}`, first.y, (offset) => {
      own.leaves = offset;
    });
    meet(`${edge.target} ${-towards(last, target)}`, last.y, (offset) => {
      own.arrives = offset;
    });
  }
  for (const side of sides.values()) {
    const step = Math.min(PORT_STEP, PORT_ROOM / Math.max(1, side.length - 1));
    side
      .sort((a, b) => a.y - b.y)
      .forEach(({ set }, at) => {
        set((at - (side.length - 1) / 2) * step);
      });
  }
  return ports;

  function meet(side: string, y: number, set: (offset: number) => void): void {
    sides.set(side, [...(sides.get(side) ?? []), { y, set }]);
  }
}

/** From the top of a node to its top. */
function loop(node: Point, tip: number): Line {
  const top = node.y - NODE.height / 2;
  const [left, right] = [node.x - NODE.width / 4, node.x + NODE.width / 4];
  const peak = top - LOOP_HEIGHT * 1.3;
  const d = `M${left},${top}C${left},${peak} ${right},${peak} ${right},${top - tip}`;
  return { d, label: { x: node.x, y: top - LOOP_HEIGHT * 0.95 } };
}

/** 1 to the right, -1 to the left. */
function towards(from: Point, to: Point): 1 | -1 {
  return to.x >= from.x ? 1 : -1;
}

function curve(from: Point, to: Point): string {
  const middle = (from.x + to.x) / 2;
  return `C${rounded(middle)},${rounded(from.y)} ${rounded(middle)},${rounded(to.y)} ${text(to)}`;
}

function text({ x, y }: Point): string {
  return `${rounded(x)},${rounded(y)}`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
