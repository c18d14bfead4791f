// The messages of a gRPC call: fields by their numbers, for there is no schema.
import { fromHex } from "./body";
import { Hex } from "./hex";

interface Field {
  number: number;
  type: string;
  value: unknown;
  as_float?: number;
  size?: number;
}

interface Decoded {
  fields?: Field[];
  hex?: string;
  problem?: string;
}

export function GrpcMessages({ messages, count }: { messages: Decoded[]; count: number }) {
  if (messages.length === 0) return null;
  return (
    <section class="grpc">
      <h3>
        Messages <small>{count}</small>
      </h3>
      {messages.map((message, index) => (
        <div class="message" key={index}>
          <h4>Message {index + 1}</h4>
          {message.problem && <p class="note">No fields: {message.problem}.</p>}
          {message.hex && <Hex bytes={fromHex(message.hex)} whole={0} />}
          {message.fields && <Fields fields={message.fields} />}
        </div>
      ))}
      {messages.length < count && <p class="note">The first {messages.length} of them.</p>}
    </section>
  );
}

function Fields({ fields }: { fields: Field[] }) {
  if (fields.length === 0) return <p class="note">empty: every field has its default value</p>;
  return (
    <dl class="fields">
      {fields.map((field, index) => (
        <div key={index}>
          <dt>
            {field.number} <small>{field.type}</small>
          </dt>
          <dd>
            <FieldValue field={field} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function FieldValue({ field }: { field: Field }) {
  if (field.type === "message") return <Fields fields={field.value as Field[]} />;
  if (field.type === "bytes")
    return <Hex bytes={fromHex(String(field.value))} whole={field.size ?? 0} />;
  return (
    <>
      {String(field.value)}
      {field.as_float !== undefined && <small> or {field.as_float}</small>}
    </>
  );
}
