// How times, sizes, peers and outcomes are written. Pure: values in, text out.
import type { EntryPeer, Peer, Row } from "../messages";

/** Local time of day with milliseconds: 15:04:05.123. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** Microseconds as milliseconds of three digits, for a column: 0.42, 12.3, 1240. */
export function inMilliseconds(us: number): string {
  const ms = us / 1000;
  if (ms < 10) return ms.toFixed(2);
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

/** Microseconds with the unit that suits them: 420 µs, 12.3 ms, 1.24 s. */
export function duration(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} µs`;
  if (us < 1_000_000) return `${inMilliseconds(us)} ms`;
  return `${(us / 1_000_000).toFixed(us < 10_000_000 ? 2 : 1)} s`;
}

/** Bytes with the unit that suits them: 312 B, 1.2 kB, 4.5 MB. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US").replaceAll(",", "\u202f");
}

/** An address with its port; IPv6 in brackets. */
export function address(peer: { ip: string; port: number }): string {
  const ip = peer.ip.includes(":") ? `[${peer.ip}]` : peer.ip;
  return peer.port ? `${ip}:${peer.port}` : ip;
}

/** Everything that is known of a peer, for a tooltip. */
export function peerTitle(peer: Peer): string {
  const space = peer.namespace && ` in ${peer.namespace}`;
  return `${peer.kind} ${peer.name}${space}, ${address(peer)}`;
}

/** What a peer of an entry is called in a list. */
export function peerName(peer: EntryPeer | Peer): string {
  return peer.name || peer.ip;
}

/** quiet: neither good nor bad; unknown: nobody saw an answer. */
export type Tone = "good" | "quiet" | "warning" | "error" | "failure" | "unknown";

export interface Outcome {
  text: string;
  tone: Tone;
}

/** What came of an entry: never by colour alone. */
export function outcome(row: Pick<Row, "status" | "error" | "failure" | "protocol">): Outcome {
  if (row.failure === "lost" || row.failure === "open")
    return { text: row.status || row.failure, tone: "unknown" };
  if (row.failure) return { text: row.failure, tone: "failure" };
  if (!row.status) return { text: "–", tone: "unknown" };
  if (row.protocol === "http") return { text: row.status, tone: httpTone(row.status) };
  if (row.error) return { text: row.status, tone: "error" };
  return { text: row.status, tone: row.status === "NXDOMAIN" ? "quiet" : "good" };
}

function httpTone(status: string): Tone {
  const hundreds = Number(status[0]);
  if (hundreds >= 5 || Number.isNaN(hundreds)) return "error";
  if (hundreds === 4) return "warning";
  return hundreds === 2 ? "good" : "quiet";
}

/** The request in a line: what is asked, without what came of it. */
export function requestLine(
  row: Pick<Row, "method" | "path" | "summary" | "protocol" | "dst">,
): string {
  if (row.path) return row.path;
  if (row.protocol === "tcp" || row.protocol === "udp") return `to port ${row.dst.port}`;
  const asked = row.summary.split(" → ", 1)[0] ?? "";
  return row.method && asked.startsWith(`${row.method} `)
    ? asked.slice(row.method.length + 1)
    : asked;
}
