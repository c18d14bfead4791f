// Time as a bar: connecting, waiting, receiving.
import type { EntryMessage } from "../../messages";
import { duration } from "../format";
import { parts } from "./timing";
import "./timingbar.css";

export function TimingBar({ entry }: { entry: EntryMessage }) {
  const all = parts(entry.timing);
  if (all.length === 0) return <p class="note">No time is known: there was no whole answer.</p>;
  const { connect } = entry.timing;
  return (
    <div class="timing">
      {all.map(({ name, title, us, from, share }) => (
        <div class="part" key={name}>
          <span>{title}</span>
          <span class="track" aria-hidden="true">
            <i class={name} style={{ left: `${100 * from}%`, width: `${100 * share}%` }} />
          </span>
          <b>{duration(us)}</b>
        </div>
      ))}
      {entry.elapsed_time !== null && (
        <p class="note">
          {duration(entry.elapsed_time)} from the first byte of the request to the last of the
          answer{connect === null ? "" : "; connecting was before"}.
        </p>
      )}
    </div>
  );
}
