// What a Service is: its name, its type, its addresses.
import type { ServiceView } from "../messages";

const NO_ADDRESS = "None";

/** `namespace/name`, as the address of the page has it. */
export function keyOf(service: { name: string; namespace: string }): string {
  return `${service.namespace}/${service.name}`;
}

export function isHeadless(service: ServiceView): boolean {
  return service.cluster_ips.includes(NO_ADDRESS);
}

/** `ClusterIP`, `headless`, … */
export function typeOf(service: ServiceView): string {
  return isHeadless(service) ? "headless" : service.service_type;
}

/** Those inside the cluster. */
export function clusterAddressesOf(service: ServiceView): string[] {
  return service.cluster_ips.filter((address) => address !== NO_ADDRESS && address !== "");
}

export function addressesOf(service: ServiceView): string[] {
  return [...clusterAddressesOf(service), ...service.external_addresses];
}
