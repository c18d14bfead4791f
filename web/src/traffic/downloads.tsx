// What is shown, as a file.
import { useRef } from "preact/hooks";
import { asQuery, question } from "./question";

const FORMATS = [
  ["pcapng", "pcapng", "packets, for Wireshark"],
  ["har", "HAR", "HTTP, for browsers' tools"],
  ["json", "JSON", "entries, a line each"],
] as const;

export function Downloads() {
  const menu = useRef<HTMLDetailsElement>(null);
  question.value;
  return (
    <details class="downloads" ref={menu} onKeyDown={(event) => onKey(event, menu.current)}>
      <summary class="button">Download</summary>
      <div class="choices">
        {FORMATS.map(([format, title, what]) => (
          <a
            href={`/api/v1/download?${asQuery({ format })}`}
            download
            key={format}
            onClick={() => menu.current?.removeAttribute("open")}
          >
            <b>{title}</b> {what}
          </a>
        ))}
      </div>
    </details>
  );
}

function onKey(event: KeyboardEvent, menu: HTMLDetailsElement | null) {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
  event.stopPropagation();
}
