// How a connection or flow begins whose protocol nobody knows.
import { size } from "../format";
import { fromHex, type Message } from "./body";
import { Hex } from "./hex";

export function Flow({ message }: { message: Message }) {
  if (typeof message.hex !== "string" || !message.hex) return null;
  const bytes = fromHex(message.hex);
  return (
    <section>
      <h3>
        Begins with <small>{size(bytes.length)}</small>
      </h3>
      <Hex bytes={bytes} whole={0} />
    </section>
  );
}
