// Filters for the traffic of what is on the map.
import type { MapEdge } from "../messages";
import { trafficOf } from "../services/links";
import type { DrawnNode } from "./fold";

// The server takes no longer ones (docs/reference/filters.md, limits).
const MAX_FILTER = 8000;

/** The filter of all that a node asks and is asked; "" where there is none. */
export function filterOf(node: DrawnNode, edges: readonly MapEdge[]): string {
  if (node.kind === "service") return `${trafficOf(node)} && !probe`;
  if (node.kind === "workload")
    return `(${isWorkload("src", node)} || ${isWorkload("endpoint", node)}) && !probe`;
  const own = edges.filter(({ source, target }) => source === node.id || target === node.id);
  return eitherOf(own.map(({ filter }) => filter));
}

/** True where any is; "" where one of them is, or all are too much for a filter. */
export function eitherOf(filters: readonly string[]): string {
  if (filters.includes("")) return "";
  const different = [...new Set(filters)];
  if (different.length === 1) return different[0] ?? "";
  const text = different.map((each) => `(${each})`).join(" || ");
  return text.length > MAX_FILTER ? "" : text;
}

function isWorkload(party: "src" | "endpoint", node: DrawnNode): string {
  const pod = `${party}.pod`;
  const place = `${pod}.namespace == ${text(node.namespace)}`;
  if (node.owner_kind === "Pod") return `${place} && ${pod}.name == ${text(node.name)}`;
  const owner = `${pod}.owner.kind == ${text(node.owner_kind)}`;
  return `${place} && ${owner} && ${pod}.owner.name == ${text(node.name)}`;
}

function text(value: string): string {
  return JSON.stringify(value);
}
