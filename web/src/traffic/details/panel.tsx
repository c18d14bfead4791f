// The details of one entry, beside the list.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EntryDetails } from "../../messages";
import { Copy } from "../command";
import { outcome } from "../format";
import { Mark } from "../mark";
import { closeDetails } from "../selection";
import { curl } from "./curl";
import { loaded } from "./load";
import { lookUpProblem } from "./lookup";
import { MessageView } from "./message";
import { Overview } from "./overview";
import "./panel.css";

const TABS = ["Overview", "Request", "Response", "JSON"] as const;
type Tab = (typeof TABS)[number];

/** It stays as somebody goes from entry to entry. */
const tab = signal<Tab>("Overview");

export function Details({ name }: { name: string }) {
  useEffect(() => giveFocusBack, []);
  const now = loaded.value;
  return (
    <section class="details" aria-label="Details" aria-busy={now?.name !== name}>
      <header>
        <Title details={now?.details ?? null} />
        <button
          type="button"
          class="button"
          aria-label="Close the details"
          title="Close (Esc)"
          onClick={closeDetails}
        >
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="M2 2l8 8m0-8l-8 8" stroke="currentColor" stroke-width="1.8" />
          </svg>
        </button>
      </header>
      {now?.problem && <p class="note">{now.problem}</p>}
      {lookUpProblem.value && <p class="note">{lookUpProblem.value}</p>}
      {now?.details && <Tabs details={now.details} />}
    </section>
  );
}

/** To the list, which on a phone is there only when the details have gone. */
function giveFocusBack() {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById("rows")?.focus();
  });
}

function Title({ details }: { details: EntryDetails | null }) {
  if (!details) return <h2>Details</h2>;
  const { entry } = details;
  const { text, tone } = outcome(entry);
  const asked = entry.summary.split(" → ", 1)[0];
  return (
    <h2>
      <span class="asked">{asked}</span>{" "}
      <span class="status" data-tone={tone}>
        <Mark tone={tone} />
        {text}
      </span>
    </h2>
  );
}

function Tabs({ details }: { details: EntryDetails }) {
  const command = curl(details.entry);
  return (
    <>
      <div class="tabs">
        <div role="tablist" aria-label="Details" onKeyDown={onKey}>
          {TABS.map((each) => (
            <button
              type="button"
              role="tab"
              id={`tab-${each}`}
              aria-selected={each === tab.value}
              aria-controls="tab-content"
              tabIndex={each === tab.value ? 0 : -1}
              key={each}
              onClick={() => {
                tab.value = each;
              }}
            >
              {each}
            </button>
          ))}
        </div>
        {command && <Copy text={() => command} label="Copy as curl" says="Copy as curl" />}
      </div>
      <div
        class="content"
        role="tabpanel"
        id="tab-content"
        aria-labelledby={`tab-${tab.value}`}
        tabIndex={0}
      >
        <Content details={details} />
      </div>
    </>
  );
}

function Content({ details }: { details: EntryDetails }) {
  const { entry } = details;
  // Keys: what was opened or searched in one entry is not in the next.
  switch (tab.value) {
    case "Overview":
      return <Overview details={details} />;
    case "Request":
      return <MessageView entry={entry} side="request" key={`request ${entry.id}`} />;
    case "Response":
      return <MessageView entry={entry} side="response" key={`response ${entry.id}`} />;
    case "JSON":
      return <Raw details={details} />;
  }
}

function Raw({ details }: { details: EntryDetails }) {
  const text = JSON.stringify(details.entry, null, 2);
  return (
    <section>
      <h3>
        The whole entry <Copy text={() => text} label="Copy the entry as JSON" />
      </h3>
      <pre class="text">{text}</pre>
    </section>
  );
}

function onKey(event: KeyboardEvent) {
  const at = TABS.indexOf(tab.value);
  const steps: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
  const to = steps[event.key];
  const next = to === undefined ? undefined : TABS.at(to % TABS.length);
  if (!next) return;
  event.preventDefault();
  tab.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}
