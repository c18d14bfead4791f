// Rows and entries for tests.
import type { EndpointView, EntryMessage, EntryPeer, Row } from "../../src/messages";

export function row(changes: Partial<Row> = {}): Row {
  return {
    id: "node-1-000001",
    time: 1_795_362_108_473.282,
    protocol: "http",
    node: "node-1",
    src: { kind: "pod", name: "shop-1", namespace: "default", ip: "10.244.0.5", port: 40000 },
    dst: { kind: "service", name: "web", namespace: "default", ip: "10.96.0.9", port: 80 },
    endpoint: { kind: "pod", name: "web-1", namespace: "default", ip: "10.244.1.7", port: 8080 },
    method: "GET",
    path: "/pets",
    summary: "GET /pets → 200",
    status: "200",
    error: false,
    failure: "",
    elapsed_us: 1200,
    request_bytes: 100,
    response_bytes: 200,
    probe: false,
    ...changes,
  };
}

export function pod(name: string, ip: string, port: number, node: string): EntryPeer {
  return {
    kind: "pod",
    name,
    ip,
    port,
    pod: {
      name,
      namespace: "default",
      labels: {},
      node,
      owner: { kind: "Deployment", name: "web" },
    },
  };
}

export const service: EntryPeer = {
  kind: "service",
  name: "web",
  ip: "10.96.0.9",
  port: 80,
  service: { name: "web", namespace: "default", labels: {}, type: "ClusterIP", port: "http" },
};

export function entry(changes: Partial<EntryMessage> = {}): EntryMessage {
  const none = { request: 0, response: 0 };
  return {
    id: "node-1-000001",
    timestamp: "2026-11-22T15:00:00.000000Z",
    protocol: "http",
    node_name: "node-1",
    src: pod("shop-1", "10.244.0.5", 40000, "node-1"),
    dst: service,
    endpoint: pod("web-1", "10.244.1.7", 8080, "node-2"),
    dns: { name: "web.default.svc.cluster.local.", answer: "10.96.0.9", id: "node-1-000000" },
    probe: false,
    status: "200",
    error: false,
    summary: "GET /pets → 200",
    failure: "",
    elapsed_time: 1200,
    timing: { connect: 100, wait: 1000, transfer: 200 },
    bytes: none,
    conn: { id: "1", first: true, whole: true, state: "open", packets: none, bytes: none },
    request: { method: "GET", url: "/pets", headers: { host: "web" }, size: 100 },
    response: { status_code: 200, headers: {}, size: 200 },
    ...changes,
  };
}

export function endpoint(name: string, ip: string, why = ""): EndpointView {
  return {
    name,
    namespace: "default",
    ip,
    ports: [8080],
    node: "node-2",
    ready: why === "",
    terminating: false,
    gone: false,
    why,
    requests: 0,
    errors: 0,
    connections: 0,
    share: 0,
    fair: 0,
    p50_us: null,
    p99_us: null,
    series: [],
  };
}
