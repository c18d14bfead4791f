// Nodes and edges to test with.
import type { MapEdge, MapNode } from "../../src/messages";

export function node(id: string, more: Partial<MapNode> = {}): MapNode {
  return {
    id,
    kind: "workload",
    owner_kind: "Deployment",
    name: id,
    namespace: "default",
    pods: 1,
    ...more,
  };
}

export function edge(source: string, target: string, more: Partial<MapEdge> = {}): MapEdge {
  return {
    source,
    target,
    protocols: ["http"],
    requests: 10,
    errors: 0,
    rate_per_s: 1,
    p50_us: 1000,
    p99_us: 9000,
    filter: `from ${source} to ${target}`,
    ...more,
  };
}
