// Where a Service's view leads: filters for its traffic, and commands about it.
import type { EndpointView, ServiceView } from "../messages";
import { clusterAddressesOf } from "./kinds";

interface Named {
  name: string;
  namespace: string;
}

/** The filter of all that a Service was asked. */
export function trafficOf(service: Named): string {
  return `dst.service.name == ${text(service.name)} && dst.service.namespace == ${text(service.namespace)}`;
}

export function errorsOf(service: Named): string {
  return `${trafficOf(service)} && error`;
}

/** What one of its endpoints was asked; by its address where it is no Pod. */
export function trafficTo(service: Named, endpoint: EndpointView): string {
  const chosen = endpoint.name
    ? `endpoint.pod.name == ${text(endpoint.name)}`
    : `endpoint.ip == ${text(endpoint.ip)}`;
  return `${trafficOf(service)} && ${chosen}`;
}

/** The command that lists the Pods a Service selects; "" for one without a selector. */
export function podsCommand(service: ServiceView): string {
  const labels = Object.entries(service.selector).map(([name, value]) => `${name}=${value}`);
  if (labels.length === 0) return "";
  return `kubectl get pods -n ${service.namespace} -l ${labels.join(",")}`;
}

/** A text that ends with a command (`see what listens: kubectl exec …`), in its two parts. */
export function commandIn(text: string): { before: string; command: string } {
  const at = text.search(/(?:^|(?<=: ))(?:kubectl|pilotfish) \S/);
  if (at < 0) return { before: text, command: "" };
  const command = text.slice(at);
  // What goes on behind the command is no part of it.
  if (/[;,] /.test(command)) return { before: text, command: "" };
  return { before: text.slice(0, at).trimEnd(), command };
}

/** A command that asks the Service from the machine; "" where none is known to be right. */
export function tryCommand(service: ServiceView): string {
  const port = service.ports.find(({ protocol }) => protocol === "TCP");
  const address = clusterAddressesOf(service)[0];
  if (!port || !address) return "";
  const host = address.includes(":") ? `[${address}]` : address;
  return `curl http://${host}:${port.port}/`;
}

function text(value: string): string {
  return JSON.stringify(value);
}
