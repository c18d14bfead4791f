// Services to test with.
import type { EndpointView, ServiceView } from "../../src/messages";

export function endpoint(name: string, more: Partial<EndpointView> = {}): EndpointView {
  return {
    name,
    namespace: "default",
    ip: "10.244.0.7",
    ports: [8080],
    node: "node-1",
    ready: true,
    terminating: false,
    gone: false,
    why: "",
    requests: 0,
    errors: 0,
    connections: 0,
    share: 0,
    fair: 0,
    p50_us: null,
    p99_us: null,
    series: [],
    ...more,
  };
}

export function service(name: string, more: Partial<ServiceView> = {}): ServiceView {
  return {
    name,
    namespace: "default",
    service_type: "ClusterIP",
    cluster_ips: ["10.96.3.4"],
    external_addresses: [],
    ports: [{ name: "http", protocol: "TCP", port: 80, target_port: "8080", node_port: 0 }],
    selector: {},
    affinity: "None",
    balancing: "random",
    endpoints: [],
    slots: [],
    requests: 0,
    errors: 0,
    rate_per_s: 0,
    p50_us: null,
    p99_us: null,
    verdict: "",
    findings: [],
    ...more,
  };
}
