// Which part of the map is shown: of one namespace or all, with the system's own traffic or not.
import type { MapEdge, MapNode } from "../messages";

const SYSTEM_NAMESPACE = "kube-system";

export interface Graph {
  nodes: MapNode[];
  edges: MapEdge[];
}

/**
 * The edges that touch a namespace ("" for all), and their ends. system: with look-ups (DNS) and
 * what kube-system does; it is always there where kube-system itself was asked for.
 */
export function visible(graph: Graph, namespace: string, system: boolean): Graph {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const all = system || namespace === SYSTEM_NAMESPACE;
  const touches = (id: string) => !namespace || byId.get(id)?.namespace === namespace;
  const isSystem = (edge: MapEdge) =>
    edge.protocols.every((protocol) => protocol === "dns") ||
    [edge.source, edge.target].some((id) => byId.get(id)?.namespace === SYSTEM_NAMESPACE);
  const edges = graph.edges.filter(
    (edge) =>
      byId.has(edge.source) &&
      byId.has(edge.target) &&
      (touches(edge.source) || touches(edge.target)) &&
      (all || !isSystem(edge)),
  );
  const ends = new Set(edges.flatMap(({ source, target }) => [source, target]));
  return { nodes: graph.nodes.filter(({ id }) => ends.has(id)), edges };
}

/** All namespaces in it, sorted. */
export function namespacesOf(nodes: readonly MapNode[]): string[] {
  return [...new Set(nodes.map(({ namespace }) => namespace))].filter(Boolean).sort();
}
