// A JSON value as a tree that opens and closes. Only what is open is in the document.
import { useSignal } from "@preact/signals";
import type { Json } from "./json";
import "./jsontree.css";

/** So much is open at first, and so many members are shown at once. */
const OPEN_DEPTH = 2;
const PORTION = 100;

/** open: all of it, as it is short. */
export function JsonTree({ value, open }: { value: Json; open: boolean }) {
  return (
    <div class="json">
      <Node value={value} depth={open ? -1000 : 0} />
    </div>
  );
}

function Node({ value, name, depth }: { value: Json; name?: string; depth: number }) {
  const children = childrenOf(value);
  const opened = useSignal(depth < OPEN_DEPTH && children.length <= PORTION);
  const shown = useSignal(PORTION);
  const label = name === undefined ? null : <span class="key">{name}: </span>;
  if (value.kind !== "object" && value.kind !== "array") {
    return (
      <div class="leaf">
        {label}
        <span class={value.kind}>
          {value.kind === "string" ? JSON.stringify(value.text) : value.text}
        </span>
      </div>
    );
  }
  const [open, close] = value.kind === "object" ? "{}" : "[]";
  if (children.length === 0 && !value.cut) {
    return (
      <div class="leaf">
        {label}
        {open}
        {close}
      </div>
    );
  }
  return (
    <div class="branch">
      <button
        type="button"
        aria-expanded={opened.value}
        onClick={() => {
          opened.value = !opened.value;
        }}
      >
        {label}
        {open}
        {!opened.value && <i>{summary(value, children.length)}</i>}
        {!opened.value && close}
      </button>
      {opened.value && (
        <>
          <div class="children">
            {children.slice(0, shown.value).map(([key, child], index) => (
              <Node
                value={child}
                {...(key === null ? {} : { name: key })}
                depth={depth + 1}
                key={index}
              />
            ))}
            {children.length > shown.value && (
              <button
                type="button"
                class="plain"
                onClick={() => {
                  shown.value += 5 * PORTION;
                }}
              >
                {children.length - shown.value} more
              </button>
            )}
            {value.cut && <i>… the rest was not kept</i>}
          </div>
          {close}
        </>
      )}
    </div>
  );
}

function childrenOf(value: Json): [string | null, Json][] {
  if (value.kind === "object") return value.members;
  return value.kind === "array" ? value.items.map((item) => [null, item]) : [];
}

function summary(value: Json, count: number): string {
  const what = value.kind === "object" ? "member" : "item";
  return ` ${count} ${what}${count === 1 ? "" : "s"} `;
}
