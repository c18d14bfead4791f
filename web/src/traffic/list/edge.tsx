// The line above the oldest row: what lies behind it.
import { askAgain, loadOlder } from "../question";
import { older, rows } from "../rows";

const SAYS = {
  some: "Older rows are in the history.",
  loading: "Loading older rows…",
  none: "This is where the history begins.",
  failed: "Older rows could not be loaded.",
};

export function Edge({ state, top }: { state: typeof older.value; top: number }) {
  if (rows.size === 0) return null;
  return (
    <div class="oldest" style={{ top: `${top}px` }}>
      {SAYS[state]}
      {(state === "some" || state === "failed") && (
        <button type="button" class="plain" onClick={load}>
          {state === "some" ? "Load them" : "Try again"}
        </button>
      )}
    </div>
  );
}

function load() {
  if (older.value === "failed") older.value = "some";
  if (rows.size) void loadOlder();
  else askAgain();
}
