// The path of a request: who was asked for whom, who was chosen, and where it ended. Pure.
import type { EndpointView, EntryDetails, EntryMessage, EntryPeer } from "../../messages";
import { address, duration } from "../format";

/** So many endpoints that are not ready are spoken of. */
const MAX_UNREADY = 3;

/** Somebody on the path. */
export interface Station {
  kind: EntryPeer["kind"];
  name: string;
  /** Kind and name, within a sentence. */
  called: string;
  /** What else is known, in a line. */
  about: string;
  address: string;
  node: string;
}

/** An endpoint that could have been chosen. why: why not, "" if it is ready. */
export interface Peer {
  name: string;
  address: string;
  node: string;
  why: string;
}

/** Where on the way it failed: at the Service, before the endpoint, at it, or on the way back. */
export type Place = "service" | "between" | "endpoint" | "reply";

export interface Path {
  client: Station;
  lookUp: { name: string; answer: string; id: string } | null;
  /** Null when the client asked for the endpoint itself. */
  service: Station | null;
  /** Null when nobody was chosen. */
  endpoint: Station | null;
  peers: Peer[];
  /** The node that chose the endpoint, and where that endpoint is. */
  nodes: { from: string; to: string };
  broken: { place: Place; what: string } | null;
  /** What came back: 200 after 12.3 ms; "" if nothing did. */
  reply: string;
  words: string[];
}

export function pathOf({ entry, peers }: EntryDetails): Path {
  const toService = entry.dst.kind === "service";
  const chosen = entry.endpoint ?? (toService ? null : entry.dst);
  const broken = breakOf(entry, chosen !== null);
  const path: Path = {
    client: station(entry.src),
    lookUp: entry.dns ?? null,
    service: toService ? station(entry.dst) : null,
    endpoint: chosen && station(chosen),
    peers: toService ? others(peers, chosen) : [],
    nodes: { from: entry.node_name, to: (chosen && nodeOf(chosen)) || entry.node_name },
    broken,
    reply: replyOf(entry),
    words: [],
  };
  path.words = words(path, entry);
  return path;
}

function nodeOf(peer: EntryPeer): string {
  return peer.pod?.node ?? peer.node?.name ?? "";
}

function called(peer: EntryPeer): string {
  switch (peer.kind) {
    case "pod":
      return `Pod ${peer.name}`;
    case "service":
      return `Service ${peer.name}`;
    case "node":
      return `node ${peer.name}`;
    case "host":
      return "the host";
    case "external":
      return `${peer.name || peer.ip}, outside of the cluster`;
  }
}

function station(peer: EntryPeer): Station {
  const { pod, service } = peer;
  const about = pod
    ? [pod.owner && `of ${pod.owner.kind} ${pod.owner.name}`, `in ${pod.namespace}`]
    : service
      ? [service.type, `port ${service.port}`, `in ${service.namespace}`]
      : [peer.kind === "host" ? "the machine the cluster runs on" : ""];
  return {
    kind: peer.kind,
    name: peer.kind === "host" ? "The host" : peer.name || peer.ip,
    called: called(peer),
    about: about.filter(Boolean).join(", "),
    address: address(peer),
    node: nodeOf(peer),
  };
}

/** The endpoints that were not chosen, the ready ones first. */
function others(peers: EndpointView[], chosen: EntryPeer | null): Peer[] {
  return peers
    .filter((peer) => peer.ip !== chosen?.ip && !peer.gone)
    .sort((one, two) => Number(two.ready) - Number(one.ready))
    .map((peer) => ({
      name: peer.name || peer.ip,
      address: peer.ip,
      node: peer.node,
      why: peer.ready ? "" : peer.why || (peer.terminating ? "terminating" : "not ready"),
    }));
}

function breakOf(entry: EntryMessage, isChosen: boolean): Path["broken"] {
  const { failure, response } = entry;
  if (!failure || failure === "lost" || failure === "open") return null;
  if (failure === "no endpoints") return { place: "service", what: failure };
  if (response || failure === "closed") return { place: "reply", what: failure };
  if (failure === "reset") return { place: "reply", what: failure };
  if (failure === "refused") return { place: isChosen ? "endpoint" : "service", what: failure };
  return { place: isChosen ? "between" : "service", what: failure };
}

function replyOf(entry: EntryMessage): string {
  if (entry.response === null) return "";
  const status = entry.failure ? "a part of the answer" : entry.status || "an answer";
  return entry.elapsed_time === null ? status : `${status} after ${duration(entry.elapsed_time)}`;
}

function words(path: Path, entry: EntryMessage): string[] {
  const all = [lookedUp(path), asked(path), choice(path), outcome(path, entry), ...unready(path)];
  return all.filter(Boolean);
}

function lookedUp({ client, lookUp }: Path): string {
  return lookUp
    ? `${client.name} looked up ${lookUp.name.replace(/\.$/, "")}, and got ${lookUp.answer}.`
    : "";
}

function asked({ client, service, endpoint }: Path): string {
  const target = service ?? endpoint;
  if (!target) return "";
  const direct = service ? "" : " directly, without a Service";
  return `${client.name} (${client.address}) asked ${target.called} at ${target.address}${direct}.`;
}

function choice({ service, endpoint, peers, nodes }: Path): string {
  if (!service || !endpoint) return "";
  const ready = peers.filter((peer) => !peer.why).length;
  const among = ready ? `, one of ${ready + 1} that are ready now` : "";
  const where = endpoint.node && endpoint.node !== nodes.from ? ` on ${endpoint.node}` : "";
  return `${nodes.from || "The node"} chose ${endpoint.called}${where}${among}, and put ${endpoint.address} in the place of the Service's address.`;
}

function unready({ peers }: Path): string[] {
  const some = peers.filter(({ why }) => why).slice(0, MAX_UNREADY);
  return some.map(({ name, why }) => `${name} is not ready: ${why.replace(/\.$/, "")}.`);
}

function outcome(path: Path, entry: EntryMessage): string {
  const { service, endpoint, nodes, reply } = path;
  const who = endpoint?.name ?? service?.name ?? entry.dst.name;
  const node = nodes.from || "the node";
  switch (entry.failure) {
    case "":
      return service && endpoint
        ? `The answer was ${reply}; ${node} put the Service's address back, so that to the client it comes from ${service.address}.`
        : `The answer was ${reply || "nothing"}.`;
    case "no endpoints":
      return `${who} has no endpoint that is ready: ${node} refused at once. Does its selector match Pods, and are they ready?`;
    case "refused":
      if (service && !endpoint) {
        return `One of the endpoints of ${who} refused; which one, was not seen. Does anything listen on the Service's target port?`;
      }
      return `${who} refused: nothing listens on port ${(endpoint ?? service)?.address.split(":").pop()}.`;
    case "reset":
      return `${who} reset the connection before the answer was complete.`;
    case "closed":
      return "The connection was closed before the answer was complete.";
    case "timed out":
      return `Nobody answered: ${entry.protocol === "dns" ? "10" : "16"} seconds of silence from ${who}.`;
    case "lost":
      return "The capture lost a part of this; the answer may have come.";
    case "open":
      return "The capture ended before the answer was complete.";
    default:
      return `The network answered instead of ${who}: ${entry.failure.replace(/^icmp /, "")}.`;
  }
}
