// Pause, clear, time range, probes, download, link, keys.
import { Copy } from "./command";
import { Downloads } from "./downloads";
import { count } from "./format";
import { help } from "./help";
import { togglePause } from "./pause";
import { ask, chosen, isLive, question } from "./question";
import { Range } from "./range";
import { clear, paused, waiting } from "./rows";
import { link } from "./share";
import "./toolbar.css";

export function Toolbar() {
  return (
    <div class="toolbar" role="toolbar" aria-label="Traffic">
      <button
        type="button"
        class="button"
        aria-pressed={paused.value}
        disabled={!isLive.value}
        onClick={togglePause}
      >
        <PauseIcon paused={paused.value} />
        {paused.value ? `Resume${waiting.value ? ` (${count(waiting.value)} wait)` : ""}` : "Pause"}
      </button>
      <button type="button" class="button" onClick={clear}>
        Clear
      </button>
      <Range />
      <label class="check">
        <input
          type="checkbox"
          checked={question.value.probes}
          onChange={(event) => ask({ probes: event.currentTarget.checked })}
        />
        Probes
      </label>
      <span class="gap" />
      <Downloads />
      <Copy
        text={() => link(question.value, chosen.value, Date.now())}
        label="Copy link to this view"
        says="Copy link"
      />
      <button
        type="button"
        class="button"
        aria-label="Keys"
        title="Keys (?)"
        onClick={() => {
          help.value = true;
        }}
      >
        ?
      </button>
    </div>
  );
}

function PauseIcon({ paused }: { paused: boolean }) {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={paused ? "M2 1l9 5-9 5z" : "M2 1h3v10H2zM7 1h3v10H7z"} fill="currentColor" />
    </svg>
  );
}
