// Made by tools/make_messages.py of src/pilotfish/dashboard/messages.py: do not edit.

export type PeerKind = "pod" | "node" | "host" | "service" | "external";

/** Who an address was. namespace is "" for what has none. */
export interface Peer {
  kind: "pod" | "node" | "host" | "service" | "external";
  name: string;
  namespace: string;
  ip: string;
  port: number;
}

/**
 * A line of the traffic list: as much of an entry as the list shows.
 *
 * `id` and `time` together name the entry: `GET /api/v1/entries/{id}?time=…` has all of it.
 */
export interface Row {
  id: string;
  time: number;
  protocol: string;
  node: string;
  src: Peer;
  dst: Peer;
  endpoint: Peer | null;
  method: string;
  path: string;
  summary: string;
  status: string;
  error: boolean;
  failure: string;
  elapsed_us: number | null;
  request_bytes: number;
  response_bytes: number;
  probe: boolean;
}

/**
 * Rows of a watch, oldest first. backlog: they are history, what follows is live.
 *
 * `lost` counts rows before these that were left out because this page took them too slowly.
 * A watch begins with one message of its backlog at least, even without rows. `reached` is of
 * the backlog: what is before that time was not looked at (`GET /api/v1/rows` does, with it as
 * `before`); None where there is nothing, and in live messages.
 */
export interface Rows {
  type: "rows";
  watch: number;
  backlog: boolean;
  rows: Row[];
  lost: number;
  reached: number | null;
}

/**
 * Answer of `GET /api/v1/rows`: rows before a time, oldest first.
 *
 * more: there may be earlier ones. `reached` is how far back it was looked, within the time
 * that somebody waits: ask on with it as `before`, also where no rows were found. None if there
 * is nothing before.
 */
export interface RowsPage {
  rows: Row[];
  more: boolean;
  reached: number | null;
}

/** A filter that means nothing. line and column count from 1; end is the column behind. */
export interface FilterProblem {
  type: "filter_problem";
  watch: number;
  message: string;
  line: number;
  column: number;
  end: number;
}

/**
 * What may stand at the cursor instead of the text from offset `start` on.
 *
 * type: of its value ("string", "() -> bool"); doc: what it is, in a line.
 */
export interface Completion {
  text: string;
  start: number;
  type: string;
  doc: string;
}

/** Answer of `GET /api/v1/filter/completions`; problem is None for a filter that is right. */
export interface Completions {
  completions: Completion[];
  problem: FilterProblem | null;
}

/** A node's tap: whether entries come, why not, and its counters since its capture began. */
export interface NodeView {
  name: string;
  connected: boolean;
  problem: string;
  packets: number;
  dropped: number;
  entries: number;
  lost: number;
  skipped: number;
}

/**
 * How the connection to the cluster stands; sent every second and at each change.
 *
 * `retry_at` is when the next attempt is made, None while connected. `entries_per_s` is without
 * probes.
 */
export interface Status {
  type: "status";
  connected: boolean;
  problem: string;
  retry_at: number | null;
  nodes: NodeView[];
  entries_per_s: number;
  history_since: number | null;
  history_bytes: number;
  recording: boolean;
}

/**
 * The first message of the server; it comes again when something of it has changed.
 *
 * version: of the server; when it is another than before, the page is old: load it again.
 */
export interface Hello {
  type: "hello";
  version: string;
  context: string;
  server: string;
  namespaces: string[];
}

/** A port of a Service; node_port 0 for none. */
export interface PortView {
  name: string;
  protocol: string;
  port: number;
  target_port: string;
  node_port: number;
}

/**
 * An endpoint, and what it got in the window.
 *
 * `why` says why it is not ready, "" if it is. A Pod that the selector matches and that has no
 * address yet is here too, with `ip` "". `gone`: it is no endpoint any more, but was asked.
 * `share` is its part of the Service's connections (0..1), `fair` what equal chances would have
 * given it. `series` are requests per bucket, as `ServicesView.bucket_times`.
 */
export interface EndpointView {
  name: string;
  namespace: string;
  ip: string;
  ports: number[];
  node: string;
  ready: boolean;
  terminating: boolean;
  gone: boolean;
  why: string;
  requests: number;
  errors: number;
  connections: number;
  share: number;
  fair: number;
  p50_us: number | null;
  p99_us: number | null;
  series: number[];
}

/**
 * What a node's kernel holds for one address of a Service, slot by slot.
 *
 * front: `10.96.3.4:80/TCP`; slots: `10.244.0.7:8080`; rule: how one is chosen, or what else
 * happens (`random`, `round-robin`, `reject`, `drop`; `none`: the kernel does not know the front).
 * `external` fronts count only for clients outside the node and its Pods. `drift` says how the
 * kernel differs from what the node's proxy wrote, "" for nowhere.
 */
export interface SlotsView {
  node: string;
  front: string;
  rule: string;
  slots: string[];
  external: boolean;
  drift: string;
}

/** A node whose kernel could not be read, and why. */
export interface UnreadKernel {
  node: string;
  why: string;
}

/** What is noteworthy of a Service, and what to do about it ("" for nothing). */
export interface Finding {
  severity: "good" | "note" | "warning" | "error";
  what: string;
  mend: string;
}

/** A Service and what it was asked in the window. */
export interface ServiceView {
  name: string;
  namespace: string;
  service_type: string;
  cluster_ips: string[];
  external_addresses: string[];
  ports: PortView[];
  selector: Record<string, string>;
  affinity: string;
  balancing: string;
  endpoints: EndpointView[];
  slots: SlotsView[];
  requests: number;
  errors: number;
  rate_per_s: number;
  p50_us: number | null;
  p99_us: number | null;
  verdict: string;
  findings: Finding[];
}

/** All Services; sent every second to those who follow them. */
export interface ServicesView {
  type: "services";
  window_s: number;
  bucket_times: number[];
  services: ServiceView[];
  unread: UnreadKernel[];
}

/** A workload (Pods by owner), a Service, or somebody outside. id is stable over time. */
export interface MapNode {
  id: string;
  kind: "workload" | "service" | "node" | "host" | "external";
  owner_kind: string;
  name: string;
  namespace: string;
  pods: number;
}

/** Requests from one to the other in the window; filter shows just these in the list. */
export interface MapEdge {
  source: string;
  target: string;
  protocols: string[];
  requests: number;
  errors: number;
  rate_per_s: number;
  p50_us: number | null;
  p99_us: number | null;
  filter: string;
}

/** Who talks to whom; sent every second to those who follow it. */
export interface MapView {
  type: "map";
  window_s: number;
  nodes: MapNode[];
  edges: MapEdge[];
}

/**
 * Show traffic; replaces the watch before.
 *
 * `watch` numbers it; rows carry that number. `since` and `until` are "", a duration back from
 * now ("5m"), or RFC 3339; with `until` nothing live follows. `limit` bounds the history that
 * is sent before (the newest).
 */
export interface Watch {
  type: "watch";
  watch: number;
  filter: string;
  since: string;
  until: string;
  limit: number;
  probes: boolean;
}

/** Which of the other views to send, with numbers of the last `window_s` seconds. */
export interface Follow {
  type: "follow";
  services: boolean;
  map: boolean;
  window_s: number;
}

export type ServerMessage = Hello | Status | Rows | FilterProblem | ServicesView | MapView;

export type ClientMessage = Watch | Follow;

/** A Pod in an entry's peer. */
export interface PodRef {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  node: string;
  owner?: OwnerRef;
}

/** Whose Pod it is: the Deployment rather than its ReplicaSet. */
export interface OwnerRef {
  kind: string;
  name: string;
}

/** A Service in an entry's peer. */
export interface ServiceRef {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  type: string;
  port: string | number;
}

/** A node in an entry's peer. */
export interface NodeRef {
  name: string;
}

/** What an address was at that moment. */
export interface EntryPeer {
  ip: string;
  port: number;
  kind: "pod" | "node" | "host" | "service" | "external";
  name: string;
  pod?: PodRef;
  service?: ServiceRef;
  node?: NodeRef;
}

/** Parts of an entry's time, in microseconds. */
export interface Timing {
  connect: number | null;
  wait: number | null;
  transfer: number | null;
}

/** Bytes on the wire. */
export interface Bytes {
  request: number;
  response: number;
}

/** The DNS look-up that led the client to the address. */
export interface LookUp {
  name: string;
  answer: string;
  id: string;
}

/** The connection of an entry, as it stood when the entry was made. */
export interface Connection {
  id: string;
  first: boolean;
  whole: boolean;
  state: string;
  packets: Bytes;
  bytes: Bytes;
}

/** A whole entry. request and response: fields by protocol, or null. */
export interface EntryMessage {
  id: string;
  timestamp: string;
  protocol: string;
  node_name: string;
  src: EntryPeer;
  dst: EntryPeer;
  endpoint?: EntryPeer;
  dns?: LookUp;
  probe: boolean;
  method?: string;
  url?: string;
  path?: string;
  status_code?: number;
  status: string;
  error: boolean;
  summary: string;
  failure: string;
  elapsed_time: number | null;
  timing: Timing;
  bytes: Bytes;
  conn: Connection;
  request: Record<string, unknown> | null;
  response: Record<string, unknown> | null;
}

/** Answer of `GET /api/v1/entries/{id}`: an entry, and who else could have been chosen. */
export interface EntryDetails {
  entry: EntryMessage;
  peers: EndpointView[];
}

/**
 * Answer of `GET /api/v1/entries`: entries, oldest first.
 *
 * `next` is for the parameter `after`, and asks for what comes behind the last of them.
 */
export interface EntriesPage {
  entries: EntryMessage[];
  next: string;
}

/** What is wrong, where, and what to do about it. */
export interface Problem {
  what: string;
  where: string;
  mend: string;
}

/** Answer of every request that failed. */
export interface ProblemAnswer {
  error: Problem;
}
