// The body of a request or response, as what it is.

import { Copy } from "../command";
import { size } from "../format";
import { bodyOf, type Message } from "./body";
import { Hex } from "./hex";
import { JsonTree } from "./jsontree";
import { Table } from "./table";

/** Characters of JSON that are shown without a click. */
const SHORT = 3000;

export function BodyView({ message }: { message: Message }) {
  const body = bodyOf(message);
  if (body.kind === "none") return null;
  const text = String(message.body);
  const sent = Number(message.body_size ?? 0);
  return (
    <section>
      <h3>
        Body <small>{size(sent)}</small>
        {body.kind !== "binary" && <Copy text={() => text} label="Copy the body" />}
      </h3>
      {body.kind === "json" && <JsonTree value={body.tree} open={text.length < SHORT} />}
      {body.kind === "form" && (
        <Table
          head={["Name", "Value", "About"]}
          rows={body.fields.map(({ name, value, about }) => [name, value, about])}
        />
      )}
      {body.kind === "binary" && <Hex bytes={body.bytes} whole={sent} />}
      {body.kind === "text" && <pre class="text">{body.text}</pre>}
    </section>
  );
}
