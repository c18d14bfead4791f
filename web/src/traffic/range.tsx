// The time range: live, a while back, or from one moment to another.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, question } from "./question";

const SPANS: readonly (readonly [string, string])[] = [
  ["", "Live"],
  ["5m", "Last 5 minutes"],
  ["1h", "Last hour"],
];

export function Range() {
  const { since, until } = question.value;
  const known = !until && SPANS.some(([span]) => span === since);
  const exact = useSignal(false);
  // Whatever else changes the range (a button, a link) is what the choice then says.
  useEffect(() => {
    exact.value = false;
  }, [since, until]);
  const shown = exact.value || !known;
  return (
    <>
      <label class="range">
        <span class="unseen">Time range</span>
        <select
          value={shown ? "exact" : since}
          onChange={(event) => {
            const value = event.currentTarget.value;
            exact.value = value === "exact";
            if (value !== "exact") ask({ since: value, until: "" });
          }}
        >
          {SPANS.map(([span, title]) => (
            <option value={span} key={span}>
              {title}
            </option>
          ))}
          <option value="exact">From … to …</option>
        </select>
      </label>
      {shown && <Exact since={since} until={until} />}
    </>
  );
}

function Exact({ since, until }: { since: string; until: string }) {
  function apply(event: SubmitEvent) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    ask({ since: asUtc(fields.get("since")), until: asUtc(fields.get("until")) });
  }
  return (
    <form class="range" onSubmit={apply} key={`${since} ${until}`}>
      <label>
        <span class="unseen">From</span>
        <input type="datetime-local" name="since" step="1" defaultValue={asLocal(since)} />
      </label>
      <span aria-hidden="true">–</span>
      <label>
        <span class="unseen">To (empty: until now, and on)</span>
        <input type="datetime-local" name="until" step="1" defaultValue={asLocal(until)} />
      </label>
      <button type="submit" class="button">
        Show
      </button>
    </form>
  );
}

/** What an input of the browser's local time means; "" for nothing. */
function asUtc(value: FormDataEntryValue | null): string {
  return value ? new Date(String(value)).toISOString() : "";
}

function asLocal(moment: string): string {
  const ms = Date.parse(moment);
  if (Number.isNaN(ms)) return "";
  const offset = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19);
}
