// What is too much for one picture: the largest namespaces become one node each.
import type { MapEdge, MapNode } from "../messages";
import { eitherOf } from "./links";
import type { Graph } from "./visible";

export const MAX_NODES = 200;

/** A node of the picture. members: of a namespace that is folded, what it stands for. */
export type DrawnNode = (MapNode & { members: 0 }) | FoldedNode;

export interface FoldedNode {
  id: string;
  kind: "namespace";
  owner_kind: "";
  name: string;
  namespace: string;
  pods: number;
  members: number;
}

export interface DrawnGraph {
  nodes: DrawnNode[];
  edges: MapEdge[];
  folded: string[];
}

/** The graph with at most `limit` nodes, if folding namespaces can do that. */
export function fold(graph: Graph, limit = MAX_NODES): DrawnGraph {
  const sizes = new Map<string, number>();
  for (const { namespace } of graph.nodes)
    if (namespace) sizes.set(namespace, (sizes.get(namespace) ?? 0) + 1);
  const largestFirst = [...sizes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const folded = new Set<string>();
  let count = graph.nodes.length;
  for (const [namespace, size] of largestFirst) {
    if (count <= limit || size < 2) break;
    folded.add(namespace);
    count -= size - 1;
  }
  return { ...foldedGraph(graph, folded), folded: [...folded].sort() };
}

function foldedGraph(graph: Graph, folded: ReadonlySet<string>): Omit<DrawnGraph, "folded"> {
  const standsFor = new Map<string, string>();
  const nodes = new Map<string, DrawnNode>();
  for (const node of graph.nodes) {
    if (!folded.has(node.namespace)) {
      nodes.set(node.id, { ...node, members: 0 });
      continue;
    }
    const id = `namespace/${node.namespace}`;
    standsFor.set(node.id, id);
    const before = nodes.get(id);
    nodes.set(id, {
      id,
      kind: "namespace",
      owner_kind: "",
      name: node.namespace,
      namespace: node.namespace,
      pods: (before?.pods ?? 0) + node.pods,
      members: (before?.members ?? 0) + 1,
    });
  }
  return { nodes: [...nodes.values()], edges: foldedEdges(graph.edges, standsFor) };
}

/** Edges between the same two become one; what goes on inside a folded namespace is not shown. */
function foldedEdges(edges: readonly MapEdge[], standsFor: ReadonlyMap<string, string>): MapEdge[] {
  const found = new Map<string, MapEdge>();
  for (const edge of edges) {
    const source = standsFor.get(edge.source) ?? edge.source;
    const target = standsFor.get(edge.target) ?? edge.target;
    const isFolded = standsFor.has(edge.source) || standsFor.has(edge.target);
    if (isFolded && source === target) continue;
    const key = JSON.stringify([source, target]);
    const before = found.get(key);
    const moved = { ...edge, source, target };
    found.set(key, before ? together(before, moved) : moved);
  }
  return [...found.values()];
}

/** Of percentiles of two, the percentile of both is not known. */
function together(a: MapEdge, b: MapEdge): MapEdge {
  return {
    source: a.source,
    target: a.target,
    protocols: [...new Set([...a.protocols, ...b.protocols])].sort(),
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    rate_per_s: a.rate_per_s + b.rate_per_s,
    p50_us: null,
    p99_us: null,
    filter: eitherOf([a.filter, b.filter]),
  };
}
