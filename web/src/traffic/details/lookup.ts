// The entry of the look-up that led to a request.
import { signal } from "@preact/signals";
import type { RowsPage } from "../../messages";
import { equals } from "../filter/compose";
import { nameOf } from "../rows";
import { show } from "../selection";

/** What a look-up is good for: a client keeps an answer no longer in an entry's eyes. */
const LOOK_UP_MS = 61_000;

/** Why the look-up cannot be shown; "" while nothing is wrong. */
export const lookUpProblem = signal("");

/** Show it. id: of its entry; before: when the request was made (ms since 1970). */
export async function showLookUp(id: string, before: number): Promise<void> {
  const query = new URLSearchParams({
    filter: equals("id", id),
    before: String(before + 1000),
    since: new Date(before - LOOK_UP_MS).toISOString(),
    probes: "true",
    limit: "1",
  });
  lookUpProblem.value = "";
  try {
    const response = await fetch(`/api/v1/rows?${query}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const [row] = ((await response.json()) as RowsPage).rows;
    if (row) show(nameOf(row));
    else lookUpProblem.value = "That look-up is not in the history any more.";
  } catch (error) {
    console.warn("the look-up could not be found:", error);
    lookUpProblem.value = "The look-up could not be asked for.";
  }
}
