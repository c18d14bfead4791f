// The button at the list's end: how many rows came since somebody began to read.
import { useRef } from "preact/hooks";
import { count } from "./format";
import { toNewest } from "./pause";
import { following, lost, paused, rows, version, waiting } from "./rows";

export function NewRows() {
  const seen = useRef(rows.end);
  version.value;
  if (following.value && !paused.value) seen.current = rows.end;
  const fresh = Math.max(0, rows.end - seen.current) + waiting.value;
  if (rows.size === 0 && !fresh) return null;
  return (
    <>
      {!following.value && !paused.value && (
        <button type="button" class="newrows" onClick={toNewest}>
          {fresh ? `New rows: ${count(fresh)}` : "To the newest"} <span aria-hidden="true">↓</span>
        </button>
      )}
      {lost.value > 0 && (
        <p class="lost">
          {count(lost.value)} rows came too quickly for this page; they are in the history.
        </p>
      )}
    </>
  );
}
