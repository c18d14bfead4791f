// Where everything on the map is: dagre's layout from left to right, held steady over time.
import { layout as dagreLayout, Graph } from "@dagrejs/dagre";
import { type Item, steadied } from "./steady";
import { untangled } from "./untangle";

export const NODE = { width: 156, height: 60 };
export const LABEL = { width: 104, height: 46 };
/** Room above a node for the line to itself. */
export const LOOP_HEIGHT = 40;

const SPACE = { nodesep: 24, edgesep: 16, ranksep: 38 };
const GAP = 12;

export interface Point {
  x: number;
  y: number;
}

/** A place that a line passes, level from half a width before to half a width behind. */
export interface Bend extends Point {
  half: number;
}

/**
 * A line between two nodes: places that it passes on its way, and which of them has its numbers.
 * A line of a node to itself passes none.
 */
export interface Way {
  bends: Bend[];
  label: number;
}

/** Centres of the nodes by id, and lines by `edgeKey`. */
export interface Layout {
  nodes: ReadonlyMap<string, Point>;
  edges: ReadonlyMap<string, Way>;
}

export interface Pair {
  source: string;
  target: string;
}

export function edgeKey({ source, target }: Pair): string {
  return `${source} → ${target}`;
}

/**
 * Places for all. What was there `before` stays where it was when nothing is new, and moves as
 * little as possible otherwise; what went leaves its place empty.
 */
export function arranged(
  ids: readonly string[],
  edges: readonly Pair[],
  before: Layout | null,
): Layout {
  if (
    before &&
    ids.every((id) => before.nodes.has(id)) &&
    edges.every((edge) => before.edges.has(edgeKey(edge)))
  )
    return before;
  const graph = laidOut(inOldOrder(ids, before), edges);
  const items = itemsOf(graph, ids, edges);
  const places = before ? steadied(items, placesOf(before), GAP) : items;
  return layoutOf(graph, places, ids, edges);
}

/** dagre keeps to the order of what it is given where nothing else decides. */
function inOldOrder(ids: readonly string[], before: Layout | null): string[] {
  const place = (id: string) => before?.nodes.get(id);
  return [...ids].sort((a, b) => {
    const [p, q] = [place(a), place(b)];
    if (p && q) return p.x - q.x || p.y - q.y;
    if (p || q) return p ? -1 : 1;
    return a < b ? -1 : 1;
  });
}

function laidOut(ids: readonly string[], edges: readonly Pair[]): Graph {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ...SPACE });
  const loops = new Set(
    edges.filter(({ source, target }) => source === target).map(({ source }) => source),
  );
  for (const id of ids)
    graph.setNode(id, { ...NODE, height: NODE.height + (loops.has(id) ? 2 * LOOP_HEIGHT : 0) });
  const order = new Map(ids.map((id, at) => [id, at]));
  const byOrder = (a: Pair, b: Pair) =>
    (order.get(a.source) ?? 0) - (order.get(b.source) ?? 0) ||
    (order.get(a.target) ?? 0) - (order.get(b.target) ?? 0);
  for (const { source, target } of [...edges].sort(byOrder))
    if (source !== target) graph.setEdge(source, target, { ...LABEL, labelpos: "c" });
  dagreLayout(graph, { customOrder: ordered });
  return graph;
}

/** What dagre calls to order the nodes (and the bends of lines) of each rank. */
function ordered(graph: Graph, byDagre: (graph: Graph) => void): void {
  byDagre(graph);
  const columns: string[][] = [];
  const ranked = (id: string) => graph.node(id) as { rank: number; order: number };
  const byOrder = graph.nodes().sort((a, b) => ranked(a).order - ranked(b).order);
  for (const id of byOrder) {
    const { rank } = ranked(id);
    columns[rank] = [...(columns[rank] ?? []), id];
  }
  const links = graph.edges().map(({ v, w }) => [v, w] as const);
  for (const column of untangled(columns, links))
    column.forEach((id, at) => {
      ranked(id).order = at;
    });
}

const nodeItem = (id: string) => `node ${id}`;
const bendItem = (edge: string, at: number) => `bend ${at} ${edge}`;

interface Line {
  points: Point[];
  x: number;
  y: number;
}

function lineOf(graph: Graph, { source, target }: Pair): Line {
  return graph.edge(source, target) as Line;
}

/** Where a line's way goes but for its ends, which are where it meets its nodes. */
function bendsOf(line: Line): Point[] {
  return line.points.slice(1, -1);
}

/** Nodes and the bends of lines alike need their room. */
function itemsOf(graph: Graph, ids: readonly string[], edges: readonly Pair[]): Item[] {
  const items: Item[] = ids.map((id) => {
    const { x, y, height } = graph.node(id) as Item;
    return { key: nodeItem(id), x, y, height };
  });
  for (const edge of edges) {
    if (edge.source === edge.target) continue;
    const line = lineOf(graph, edge);
    bendsOf(line).forEach(({ x, y }, at) => {
      const height = at === labelOf(line) ? LABEL.height : 0;
      items.push({ key: bendItem(edgeKey(edge), at), x, y, height });
    });
  }
  return items;
}

function labelOf(line: Line): number {
  return bendsOf(line).findIndex(({ x }) => Math.abs(x - line.x) < 1);
}

function placesOf(layout: Layout): ReadonlyMap<string, Point> {
  const places = new Map<string, Point>();
  for (const [id, point] of layout.nodes) places.set(nodeItem(id), point);
  for (const [edge, { bends }] of layout.edges)
    bends.forEach((bend, at) => {
      places.set(bendItem(edge, at), bend);
    });
  return places;
}

function layoutOf(
  graph: Graph,
  items: readonly Item[],
  ids: readonly string[],
  edges: readonly Pair[],
): Layout {
  const places = new Map(items.map(({ key, x, y }) => [key, { x, y }]));
  const place = (key: string) => places.get(key) ?? { x: 0, y: 0 };
  const nodes = new Map(ids.map((id) => [id, place(nodeItem(id))]));
  const columns = new Set([...nodes.values()].map(({ x }) => Math.round(x)));
  const way = (edge: Pair): Way => {
    if (edge.source === edge.target) return { bends: [], label: 0 };
    const line = lineOf(graph, edge);
    const bends = bendsOf(line).map((_, at) => {
      const point = place(bendItem(edgeKey(edge), at));
      return { ...point, half: (columns.has(Math.round(point.x)) ? NODE : LABEL).width / 2 };
    });
    return { bends, label: labelOf(line) };
  };
  return {
    nodes,
    edges: new Map(edges.map((edge) => [edgeKey(edge), way(edge)])),
  };
}
