// The heads of the list's columns, which sort it.
import { change } from "../route";
import { type Column, type Order, pressed } from "./order";

interface Head {
  column?: Column;
  text: string;
  kind: string;
}

const HEADS: readonly Head[] = [
  { column: "finding", text: "Findings", kind: "mark" },
  { column: "name", text: "Name", kind: "" },
  { column: "namespace", text: "Namespace", kind: "wide" },
  { column: "type", text: "Type", kind: "wide" },
  { text: "Address", kind: "widest" },
  { text: "Ports", kind: "widest" },
  { column: "ready", text: "Ready", kind: "number" },
  { column: "rate", text: "Requests", kind: "number" },
  { column: "errors", text: "Errors", kind: "number" },
  { column: "p50", text: "p50", kind: "number wide" },
  { column: "p99", text: "p99", kind: "number wide" },
];

export function Heads({ order }: { order: Order }) {
  return (
    <thead>
      <tr>
        {HEADS.map(({ column, text, kind }) => (
          <th key={text} scope="col" class={kind} aria-sort={sortOf(order, column)}>
            {column ? (
              <button type="button" onClick={() => change({ sort: pressed(order, column) }, true)}>
                {column === "finding" ? <span class="unseen">{text}</span> : text}
                <span class="arrow" aria-hidden="true">
                  {arrow(order, column)}
                </span>
              </button>
            ) : (
              text
            )}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function sortOf(order: Order, column: Column | undefined) {
  if (order.column !== column) return undefined;
  return order.falling ? "descending" : "ascending";
}

function arrow(order: Order, column: Column): string {
  if (order.column !== column) return column === "finding" ? "!" : "";
  return order.falling ? "↓" : "↑";
}
