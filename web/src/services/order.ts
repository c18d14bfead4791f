// Which Services the list shows, and in which order.
import type { ServiceView } from "../messages";
import { LEVELS, type Level } from "../ui/severity";
import { keyOf, typeOf } from "./kinds";

export type Column =
  | "finding"
  | "name"
  | "namespace"
  | "type"
  | "ready"
  | "rate"
  | "errors"
  | "p50"
  | "p99";

export interface Order {
  column: Column;
  falling: boolean;
}

const USUAL: Order = { column: "name", falling: false };

type Value = string | number;

// Numbers fall first: who sorts by requests looks for the most.
const VALUES: Record<Column, (service: ServiceView) => Value> = {
  finding: (service) => LEVELS.indexOf(worst(service) ?? "good"),
  name: (service) => service.name,
  namespace: (service) => service.namespace,
  type: typeOf,
  ready: (service) => readiness(service).ready,
  rate: (service) => service.rate_per_s,
  errors: (service) => service.errors,
  p50: (service) => service.p50_us ?? -1,
  p99: (service) => service.p99_us ?? -1,
};
const TEXTS: readonly Column[] = ["name", "namespace", "type"];

/** How many of its endpoints are ready, and how many there are. */
export function readiness(service: ServiceView): { ready: number; total: number } {
  const present = service.endpoints.filter(({ gone }) => !gone);
  return { ready: present.filter(({ ready }) => ready).length, total: present.length };
}

/** The worst that was found of a Service; null for nothing at all. */
export function worst(service: ServiceView): Level | null {
  const levels = service.findings.map(({ severity }) => LEVELS.indexOf(severity));
  return levels.length ? (LEVELS[Math.max(...levels)] ?? null) : null;
}

/** `rate` rises, `-rate` falls; what is neither is the usual order. */
export function parseOrder(text: string | null): Order {
  const falling = text?.startsWith("-") ?? false;
  const column = falling ? text?.slice(1) : text;
  if (!column || !Object.hasOwn(VALUES, column)) return USUAL;
  return { column: column as Column, falling };
}

/** What the address has for the order after a press on a column's head; "" for the usual one. */
export function pressed(order: Order, column: Column): string {
  const falling = order.column === column ? !order.falling : !TEXTS.includes(column);
  if (column === USUAL.column && falling === USUAL.falling) return "";
  return falling ? `-${column}` : column;
}

/** Sorted; what is equal stays by namespace and name. */
export function sorted(services: readonly ServiceView[], order: Order): ServiceView[] {
  const value = VALUES[order.column];
  const sign = order.falling ? -1 : 1;
  return [...services].sort(
    (a, b) => sign * compare(value(a), value(b)) || compare(keyOf(a), keyOf(b)),
  );
}

/** Those in a namespace ("" for all) that have every word of a search somewhere. */
export function matching(
  services: readonly ServiceView[],
  namespace: string,
  search: string,
): ServiceView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return services.filter(
    (service) =>
      (!namespace || service.namespace === namespace) &&
      words.every((word) => haystack(service).includes(word)),
  );
}

function haystack(service: ServiceView): string {
  return [
    service.name,
    service.namespace,
    service.service_type,
    typeOf(service),
    ...service.cluster_ips,
    ...service.external_addresses,
    ...service.ports.map(({ name, port }) => `${name} ${port}`),
    ...Object.entries(service.selector).map(([name, value]) => `${name}=${value}`),
  ]
    .join(" ")
    .toLowerCase();
}

function compare(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
