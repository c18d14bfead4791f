// The entry that the address names, from the server.
import { effect, signal } from "@preact/signals";
import type { EntryDetails } from "../../messages";
import { chosen } from "../question";

export interface Loaded {
  /** `id@time`, as the address has it. */
  name: string;
  details: EntryDetails | null;
  problem: string;
}

/** What was loaded last: it stays until the next one is there, so that nothing flickers. */
export const loaded = signal<Loaded | null>(null);

effect(() => {
  if (chosen.value) void load(chosen.value);
  else loaded.value = null;
});

async function load(name: string): Promise<void> {
  const at = name.lastIndexOf("@");
  const [id, time] = [name.slice(0, at), name.slice(at + 1)];
  const answer: Loaded = { name, details: null, problem: "" };
  try {
    const response = await fetch(`/api/v1/entries/${encodeURIComponent(id)}?time=${time}`);
    if (response.ok) answer.details = (await response.json()) as EntryDetails;
    else answer.problem = problemOf(response.status);
  } catch (error) {
    console.warn("the entry could not be loaded:", error);
    answer.problem = "pilotfish proxy does not answer.";
  }
  if (chosen.peek() === name) loaded.value = answer;
}

function problemOf(status: number): string {
  return status === 404
    ? "This entry is not in the history any more."
    : `The entry cannot be shown (status ${status}).`;
}
