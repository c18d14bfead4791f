// The rows that the list shows: what is loaded, what waits, and what the eye rests on.
// While somebody reads (does not follow the newest), nothing moves or leaves: when memory is full,
// new rows are counted and wait. A pause lets them wait as well.
import { batch, signal } from "@preact/signals";
import type { Row } from "../messages";
import { Interner } from "./intern";
import { Ring } from "./ring";

export const CAPACITY = 100_000;
/** Rows that wait beyond this are not kept: they are in the history. */
const MAX_WAITING = 10_000;
/** Rows asked for at once, as the view begins and when somebody scrolls back. */
export const PAGE_ROWS = 500;
/** So long the rows of the question before may stay, lest the list flickers. */
const STALE_MS = 250;
/** How far back repeated rows are looked for. */
const OVERLAP_ROWS = 3_000;

export const rows = new Ring<Row>(CAPACITY);
/** Counts changes of `rows`: who reads them, reads this. */
export const version = signal(0);
export const following = signal(true);
export const paused = signal(false);
/** Rows that came and are not in the list yet. */
export const waiting = signal(0);
/** Rows that were lost between server and page, because they came too quickly. */
export const lost = signal(0);
/** Whether anything was answered yet. */
export const begun = signal(false);
/** Whether somebody emptied the list since. */
export const cleared = signal(false);
/** none: all that there is has been loaded. */
export const older = signal<"some" | "loading" | "none" | "failed">("some");

const interner = new Interner();
let arrived: Row[] = [];
let held: Row[] = [];
let scheduled = false;
let outdated: ReturnType<typeof setTimeout> | undefined;
let renew: "no" | "replace" | "merge" = "no";

/** A new question was asked: the answer's first rows replace all rows, or go on with them. */
export function begin(again: boolean): void {
  renew = again && rows.size > 0 ? "merge" : "replace";
  if (renew === "replace") {
    begun.value = false;
    clearTimeout(outdated);
    outdated = setTimeout(forget, STALE_MS);
  }
  arrived = [];
  drop();
}

/** Rows that came; they are shown with the next frame. */
export function receive(news: Row[], backlog: boolean, missed: number): void {
  if (renew !== "no") startAnew(news, backlog);
  else arrived.push(...news);
  if (missed) lost.value += missed;
  if (scheduled) return;
  scheduled = true;
  // Frames do not come to a page that nobody sees.
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}

/** The answer takes its time: rows that answer another question are not shown meanwhile. */
function forget(): void {
  if (renew !== "replace") return;
  rows.clear();
  version.value++;
}

function startAnew(news: Row[], backlog: boolean): void {
  const known = renew === "merge" ? names(rows.end - OVERLAP_ROWS, rows.end) : null;
  const fresh = known ? news.filter((row) => !known.has(nameOf(row))) : news;
  // Nothing in common, and more than was asked for: there is a gap in between.
  const gap = known !== null && backlog && fresh.length === news.length && news.length >= PAGE_ROWS;
  if (renew === "replace" || gap) {
    rows.clear();
    older.value = "some";
    lost.value = 0;
    cleared.value = false;
    following.value = true;
    paused.value = false;
  }
  arrived = fresh;
  renew = "no";
}

/** Take what came into the list, or let it wait. */
function flush(): void {
  scheduled = false;
  const news = arrived.map((row) => interner.row(row));
  arrived = [];
  batch(() => {
    begun.value = true;
    version.value++;
    const room = CAPACITY - rows.size;
    if (paused.value || waiting.value || (!following.value && news.length > room)) hold(news);
    else rows.append(news);
  });
}

function hold(news: Row[]): void {
  const overflow = held.length < waiting.value || held.length + news.length > MAX_WAITING;
  held = overflow ? [] : held.concat(news);
  waiting.value += news.length;
}

function drop(): void {
  held = [];
  waiting.value = 0;
}

/** Show what waits. False if there was too much of it: the view has to be asked for again. */
export function release(): boolean {
  const whole = held.length === waiting.value;
  batch(() => {
    if (whole) rows.append(held);
    drop();
    version.value++;
  });
  return whole;
}

/** Put older rows (oldest first) before the others; how many of them were new. */
export function addOlder(past: Row[]): number {
  const known = names(rows.first, rows.first + OVERLAP_ROWS);
  const fresh = past.filter((row) => !known.has(nameOf(row))).map((row) => interner.row(row));
  const leaving = Math.max(0, rows.size + fresh.length - CAPACITY);
  batch(() => {
    rows.prepend(fresh);
    if (leaving) {
      held = [];
      waiting.value += leaving;
    }
    version.value++;
  });
  return fresh.length;
}

/** Empty the list; what comes from now on is shown. */
export function clear(): void {
  batch(() => {
    cleared.value = true;
    rows.clear();
    drop();
    following.value = true;
    older.value = "some";
    version.value++;
  });
}

export function nameOf(row: { id: string; time: number }): string {
  return `${row.id}@${row.time}`;
}

function names(from: number, to: number): Set<string> {
  const found = new Set<string>();
  for (let number = Math.max(from, rows.first); number < Math.min(to, rows.end); number++) {
    const row = rows.at(number);
    if (row) found.add(nameOf(row));
  }
  return found;
}
