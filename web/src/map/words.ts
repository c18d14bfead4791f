// What is on the map, in words: for labels, screen readers and the list.
import type { MapEdge } from "../messages";
import * as format from "../ui/format";
import type { DrawnNode } from "./fold";

export type Trouble = "good" | "warning" | "error";

// From this part of errors on it is red.
const MUCH = 0.05;

export function troubleOf({ requests, errors }: MapEdge): Trouble {
  if (errors === 0) return "good";
  return errors / requests < MUCH ? "warning" : "error";
}

/** `Deployment`, `Service`, `node`, `this machine`, … */
export function kindOf(node: DrawnNode): string {
  switch (node.kind) {
    case "workload":
      return node.owner_kind;
    case "service":
      return "Service";
    case "host":
      return "this machine";
    case "external":
      return "outside the cluster";
    case "namespace":
      return "namespace";
    case "node":
      return "node";
  }
}

/** The line below its name: `shop · 3 Pods`. */
export function aboutNode(node: DrawnNode): string {
  switch (node.kind) {
    case "workload":
      if (node.owner_kind === "Pod") return `${node.namespace} · Pod`;
      return `${node.namespace} · ${format.counted(node.pods, "Pod")}`;
    case "service":
      return `${node.namespace} · Service`;
    case "namespace":
      return `namespace · ${format.counted(node.members, "thing")}`;
    default:
      return kindOf(node);
  }
}

/** `Deployment shop/web, 3 Pods`; `host (this machine)` */
export function nodeInWords(node: DrawnNode): string {
  if (node.kind === "host" || node.kind === "external") return `${node.name} (${kindOf(node)})`;
  const place = node.namespace && node.kind !== "namespace" ? `${node.namespace}/` : "";
  const text = `${kindOf(node)} ${place}${node.name}`;
  if (node.kind === "namespace") return `${text}, ${format.counted(node.members, "thing")} in it`;
  if (node.kind !== "workload" || node.owner_kind === "Pod") return text;
  return `${text}, ${format.counted(node.pods, "Pod")}`;
}

/** `3 % errors`; "" without any. */
export function errorsInWords({ requests, errors }: MapEdge): string {
  return errors ? `${format.share(errors / requests)} errors` : "";
}

/** `1.2 ms / 30 ms`; "" where nothing was answered. */
export function latencyOf({ p50_us, p99_us }: MapEdge): string {
  if (p50_us === null && p99_us === null) return "";
  return `${format.duration(p50_us)} / ${format.duration(p99_us)}`;
}

/** All of an edge in a sentence's worth of words. */
export function edgeInWords(edge: MapEdge, source: DrawnNode, target: DrawnNode): string {
  const parts = [
    `${nodeInWords(source)} to ${nodeInWords(target)}`,
    edge.protocols.join(", "),
    format.counted(edge.requests, "request"),
    `${format.rate(edge.rate_per_s)}`,
    errorsInWords(edge) || "no errors",
  ];
  if (edge.p50_us !== null) parts.push(`p50 ${format.duration(edge.p50_us)}`);
  if (edge.p99_us !== null) parts.push(`p99 ${format.duration(edge.p99_us)}`);
  return parts.filter(Boolean).join("; ");
}

/** A name in one or two lines of at most `width`; what is longer loses its middle. */
export function wrapped(name: string, width: number, measure: (text: string) => number): string[] {
  if (measure(name) <= width) return [name];
  // Behind the last hyphen or dot that leaves the second line its room, or else what fits.
  const breaks = [...name.matchAll(/[-.]/g)].map(({ index }) => index + 1);
  const fits = breaks.filter((at) => measure(name.slice(0, at)) <= width);
  const at = fits.at(-1);
  if (at === undefined || at === name.length) return [shortened(name, width, measure)];
  return [name.slice(0, at), shortened(name.slice(at), width, measure)];
}

/** A name in at most `width`, with its middle left out; measure: the width of a text. */
export function shortened(name: string, width: number, measure: (text: string) => number): string {
  if (measure(name) <= width) return name;
  for (let kept = name.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept / 2);
    const text = `${name.slice(0, head)}…${name.slice(name.length - (kept - head))}`;
    if (measure(text) <= width) return text;
  }
  return "…";
}
