// The details of one entry.
import { effect, signal } from "@preact/signals";
import type { EntryDetails } from "../../messages";
import { chosen } from "../question";
import { closeDetails } from "../selection";
import "./panel.css";

type Loaded = { name: string; details: EntryDetails | null; problem: string };

const loaded = signal<Loaded | null>(null);

effect(() => {
  if (chosen.value) void load(chosen.value);
  else loaded.value = null;
});

async function load(name: string) {
  const at = name.lastIndexOf("@");
  const [id, time] = [name.slice(0, at), name.slice(at + 1)];
  let answer: Loaded;
  try {
    const response = await fetch(`/api/v1/entries/${encodeURIComponent(id)}?time=${time}`);
    if (response.ok)
      answer = { name, details: (await response.json()) as EntryDetails, problem: "" };
    else answer = { name, details: null, problem: problemOf(response.status) };
  } catch {
    answer = { name, details: null, problem: "pilotfish proxy does not answer." };
  }
  if (chosen.peek() === name) loaded.value = answer;
}

function problemOf(status: number): string {
  return status === 404
    ? "This entry is not in the history any more."
    : `The entry cannot be shown (status ${status}).`;
}

export function Details({ name }: { name: string }) {
  const now = loaded.value;
  return (
    <section class="details" aria-label="Details" aria-busy={now?.name !== name}>
      <header>
        <h2>{now?.details?.entry.summary ?? "Details"}</h2>
        <button type="button" class="button" aria-label="Close the details" onClick={closeDetails}>
          ✕
        </button>
      </header>
      {now?.problem && <p class="note">{now.problem}</p>}
      {now?.details && <pre>{JSON.stringify(now.details, null, 2)}</pre>}
    </section>
  );
}
