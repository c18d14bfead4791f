// What happened, in a page: the path, the time, and who took part.
import type { EntryDetails, EntryPeer } from "../../messages";
import { type Choice, equals, peerTerm, targetTerm } from "../filter/compose";
import { address, outcome, peerName } from "../format";
import { showLookUp } from "./lookup";
import { pathOf } from "./path";
import { PathPicture } from "./picture";
import { TimingBar } from "./timingbar";
import { Value } from "./value";

export function Overview({ details }: { details: EntryDetails }) {
  const { entry } = details;
  const { dns } = entry;
  return (
    <>
      <section>
        <h3>Path</h3>
        <PathPicture
          path={pathOf(details)}
          openLookUp={dns ? () => void showLookUp(dns.id, Date.parse(entry.timestamp)) : null}
        />
      </section>
      <section>
        <h3>Time</h3>
        <TimingBar entry={entry} />
      </section>
      <section>
        <h3>Facts</h3>
        <dl class="fields">
          {facts(details).map(({ name, text, choices }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{choices.length ? <Value text={text} choices={choices} /> : text}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}

interface Fact {
  name: string;
  text: string;
  choices: Choice[];
}

function facts({ entry }: EntryDetails): Fact[] {
  const { conn, src, dst, endpoint } = entry;
  const fact = (name: string, text: string, ...terms: string[]): Fact => ({
    name,
    text,
    choices: terms.map((term) => ({ label: name, term })),
  });
  const status = { ...entry, elapsed_us: entry.elapsed_time };
  const all = [
    fact("Protocol", entry.protocol, equals("protocol", entry.protocol)),
    fact("Status", outcome(status).text, ...statusTerms(entry)),
    fact("Client", who(src), peerTerm("src", src)),
    fact(dst.kind === "service" ? "Service" : "Target", who(dst), targetTerm(dst)),
    ...(endpoint ? [fact("Endpoint", who(endpoint), peerTerm("endpoint", endpoint))] : []),
    ...(entry.path ? [fact("Path", entry.path, equals("path", entry.path))] : []),
    ...(entry.method ? [fact("Method", entry.method, equals("method", entry.method))] : []),
    ...(entry.dns ? [fact("Name", entry.dns.name, equals("look_up.name", entry.dns.name))] : []),
    fact("Seen by", entry.node_name, equals("node_name", entry.node_name)),
    fact("Seen at", entry.timestamp),
    fact("Connection", connection(conn), equals("conn_id", conn.id)),
    ...(entry.probe ? [fact("Probe", "of the kubelet", "probe")] : []),
  ];
  return all.filter(({ text }) => text !== "");
}

function statusTerms(entry: EntryDetails["entry"]): string[] {
  if (entry.failure) return [equals("failure", entry.failure)];
  return entry.status ? [equals("status", entry.status)] : [];
}

function who(peer: EntryPeer): string {
  const space = peer.pod?.namespace ?? peer.service?.namespace;
  return `${peerName(peer)}${space ? ` in ${space}` : ""} (${address(peer)})`;
}

function connection({ state, first, whole, packets, bytes }: EntryDetails["entry"]["conn"]) {
  const which = first ? "first request of it" : "used before";
  const seen = whole ? "" : ", its beginning was not captured";
  return `${state}; ${which}${seen}; ${packets.request} + ${packets.response} packets, ${bytes.request} + ${bytes.response} bytes so far`;
}
