// One side of an entry: what was asked, or what was answered.
import type { EntryMessage } from "../../messages";
import { size } from "../format";
import type { Message } from "./body";
import { BodyView } from "./bodyview";
import { Flow } from "./flow";
import { GrpcMessages } from "./grpc";
import { Headers } from "./headers";
import { plainFields } from "./plain";
import { Records } from "./records";
import { Table } from "./table";

interface Props {
  entry: EntryMessage;
  side: "request" | "response";
}

export function MessageView({ entry, side }: Props) {
  const message = entry[side];
  if (!message) {
    return (
      <p class="note">
        {side === "request"
          ? "The request was not captured."
          : `There was no answer${entry.failure && `: ${entry.failure}`}.`}
      </p>
    );
  }
  const map = (name: string) => (message[name] ?? {}) as Record<string, string>;
  const decoded = Array.isArray(message.decoded) ? message.decoded : null;
  const isHttp = entry.protocol === "http" || entry.protocol === "grpc";
  return (
    <>
      <dl class="fields">
        {plainFields(entry, side).map(([name, text]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {entry.protocol === "dns" && <Records message={message} />}
      {isHttp && Object.keys(map("query")).length > 0 && (
        <section>
          <h3>Query</h3>
          <Table head={["Name", "Value"]} rows={Object.entries(map("query"))} />
        </section>
      )}
      {decoded && <GrpcMessages messages={decoded} count={Number(message.messages ?? 0)} />}
      {!decoded && <BodyView message={message} />}
      <Headers title="Headers" headers={map("headers")} side={side} />
      <Headers title="Trailers" headers={map("trailers")} side={null} />
      <Flow message={message as Message} />
      <p class="note">{size(entry.bytes[side])} on the wire.</p>
    </>
  );
}
