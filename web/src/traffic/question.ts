// What the page asks for: filter, time range and probes, as the address has them.
import { computed, effect, signal } from "@preact/signals";
import { onRows, watch } from "../live";
import type { Rows, RowsPage } from "../messages";
import { change, page, parameters } from "../route";
import { addOlder, begin, older, PAGE_ROWS, receive, rows } from "./rows";

export interface Question {
  filter: string;
  since: string;
  until: string;
  probes: boolean;
}

const text = (name: string) => parameters.value.get(name) ?? "";

export const question = computed<Question>(() => ({
  filter: text("filter"),
  since: text("since"),
  until: text("until"),
  probes: parameters.value.has("probes"),
}));

/** The entry whose details are shown, as `id@time`; "" for none. */
export const chosen = computed(() => text("entry"));

/** Whether new rows follow what is shown. */
export const isLive = computed(() => !question.value.until);

export function ask(changes: Partial<Question>): void {
  const { probes, ...texts } = changes;
  change({ ...texts, ...(probes === undefined ? {} : { probes: probes ? "yes" : "" }) });
}

const asked = signal("");

/** Ask the server whenever the question changes, as long as the page is there. */
export function start(): void {
  onRows(hear, begin);
  effect(() => {
    if (page.value !== "traffic") return;
    const now = JSON.stringify(question.value);
    if (now !== asked.peek()) askAgain();
  });
}

/** Ask the same once more: what is shown is replaced. */
export function askAgain(): void {
  const now = question.peek();
  asked.value = JSON.stringify(now);
  watch({ ...now, limit: PAGE_ROWS });
}

/** The question as a query of the HTTP API. */
export function asQuery(more: Record<string, string> = {}): string {
  const { filter, since, until, probes } = question.peek();
  const all = { filter, since, until, probes: probes ? "true" : "", ...more };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== "")).toString();
}

/** Load rows older than those that are shown. */
export async function loadOlder(): Promise<void> {
  const oldest = rows.at(rows.first);
  // What has the same time comes again, and is not put twice.
  if (oldest) await lookBack(oldest.time + 0.001);
}

function hear(message: Rows): void {
  receive(message.rows, message.backlog, message.lost);
  // Of a rare kind of request nothing was found in the time that a look takes: look further.
  if (message.backlog && message.rows.length === 0 && message.reached !== null)
    void lookBack(message.reached);
}

/** Put rows from before a time above the others; the server looks for a while each time. */
async function lookBack(from: number): Promise<void> {
  if (older.peek() !== "some") return;
  older.value = "loading";
  const [asking, oldest] = [asked.peek(), rows.at(rows.first)];
  const isWanted = () => asked.peek() === asking && rows.at(rows.first) === oldest;
  try {
    let before: number | null = from;
    for (let fresh = 0; fresh === 0 && before !== null && isWanted(); ) {
      const query = asQuery({ before: String(before), limit: String(PAGE_ROWS), until: "" });
      const response = await fetch(`/api/v1/rows?${query}`);
      if (!response.ok) throw new Error(`status ${response.status}`);
      const past = (await response.json()) as RowsPage;
      before = past.reached;
      if (isWanted()) fresh = addOlder(past.rows);
    }
    older.value = before === null ? "none" : "some";
  } catch (error) {
    console.warn("older rows could not be loaded:", error);
    older.value = "failed";
  }
}
