// What the nodes' kernels hold for a Service, put together where it is the same.
import type { EndpointView, ServiceView, SlotsView } from "../messages";

/** Addresses that behave alike on some nodes. */
export interface SlotGroup {
  nodes: string[];
  fronts: string[];
  rule: string;
  slots: Slot[];
  /** Ready endpoints (their addresses) that none of the slots leads to. */
  missing: string[];
}

/** endpoint: null for an address that is none of the Service's; drifted: should not be there. */
export interface Slot {
  address: string;
  endpoint: EndpointView | null;
  drifted: boolean;
}

export function slotGroups(service: ServiceView): SlotGroup[] {
  const byTargets = new Map<string, SlotsView[]>();
  for (const each of service.slots) {
    const key = JSON.stringify([each.rule, each.slots]);
    byTargets.set(key, [...(byTargets.get(key) ?? []), each]);
  }
  return [...byTargets.values()].map((alike) => group(service, alike));
}

function group(service: ServiceView, alike: readonly SlotsView[]): SlotGroup {
  const slots = (alike[0]?.slots ?? []).map((address) => slot(service, address));
  const held = new Set(slots.map(({ endpoint }) => endpoint));
  return {
    nodes: unique(alike.map(({ node }) => node)),
    fronts: unique(alike.map(({ front }) => front)),
    rule: alike[0]?.rule ?? "",
    slots,
    missing: service.endpoints
      .filter((each) => each.ready && slots.length > 0 && !held.has(each))
      .map(({ name, ip }) => name || ip),
  };
}

/** A slot that leads to nobody who may be asked has drifted from what the API server says. */
function slot(service: ServiceView, address: string): Slot {
  const end = address.lastIndexOf(":");
  const ip = address.slice(0, end).replace(/^\[|\]$/g, "");
  const endpoint = service.endpoints.find((each) => each.ip === ip) ?? null;
  return { address, endpoint, drifted: !endpoint || !(endpoint.ready || endpoint.terminating) };
}

/** What a rule does with a connection, for `count` slots. */
export function ruleInWords(rule: string, count: number): string {
  switch (rule) {
    case "reject":
      return "Refuses at once (TCP reset, ICMP port unreachable): no endpoint may be asked.";
    case "drop":
      return "Stays silent: policy Local, and the endpoints are on other nodes.";
    case "random":
      if (count === 1) return "One slot: every connection goes there.";
      return `random mod ${count}: each new connection takes any of the ${count} slots, with the same chance.`;
    case "round-robin":
      if (count === 1) return "One slot: every connection goes there.";
      return `round-robin: each new connection takes the next of the ${count} slots; each node counts for itself.`;
    default:
      return rule;
  }
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
