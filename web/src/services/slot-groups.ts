// What the nodes' kernels hold for a Service, put together where it is the same.
import type { EndpointView, ServiceView, SlotsView } from "../messages";

/** Addresses that behave alike on some nodes. */
export interface SlotGroup {
  nodes: string[];
  fronts: string[];
  rule: string;
  /** Only for clients outside the node and its Pods. */
  external: boolean;
  /** How the kernels differ from what the proxies wrote, or "". */
  drift: string;
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
    const key = JSON.stringify([each.rule, each.slots, each.external, each.drift]);
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
    external: alike[0]?.external ?? false,
    drift: alike[0]?.drift ?? "",
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
  // An address is given to another Pod later: who has it now comes first.
  const known = service.endpoints.filter((each) => each.ip === ip);
  const endpoint = known.find(({ gone }) => !gone) ?? known[0] ?? null;
  const serves = endpoint && !endpoint.gone && (endpoint.ready || endpoint.terminating);
  return { address, endpoint, drifted: !serves };
}

/** What a rule does with a connection, for `count` slots. */
export function ruleInWords(rule: string, count: number): string {
  switch (rule) {
    case "reject":
      return "Refuses at once (TCP reset, ICMP port unreachable): no endpoint may be asked.";
    case "none":
      return "Nothing: the kernel does not know this address.";
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
