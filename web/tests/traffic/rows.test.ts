import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Row } from "../../src/messages";
import { row } from "./samples";

type Rows = typeof import("../../src/traffic/rows");

let list: Rows;
let made = 0;

function some(count: number): Row[] {
  return Array.from({ length: count }, () => {
    made++;
    return row({ id: `node-1-${made}`, time: made });
  });
}

/** A page that nobody sees: rows are taken by a timer instead of a frame. */
beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: true });
  vi.resetModules();
  made = 0;
  list = await import("../../src/traffic/rows");
  list.begin(false);
  come(0, true);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function come(count: number, backlog = false): Row[] {
  const news = some(count);
  list.receive(news, backlog, 0);
  vi.runAllTimers();
  return news;
}

function newest(): string | undefined {
  return list.rows.at(list.rows.end - 1)?.id;
}

describe("rows that come", () => {
  test("are in the list at once", () => {
    come(3);
    expect(list.rows.size).toBe(3);
    expect(list.begun.value).toBe(true);
  });

  test("wait during a pause, and are shown behind it", () => {
    come(1);
    list.paused.value = true;
    const held = come(5);
    expect([list.rows.size, list.waiting.value]).toEqual([1, 5]);
    list.paused.value = false;
    expect(list.release()).toBe(true);
    expect([list.rows.size, list.waiting.value]).toEqual([6, 0]);
    expect(newest()).toBe(held.at(-1)?.id);
  });

  test("are counted only, when too many wait: the view is to be asked for anew", () => {
    list.paused.value = true;
    for (let batch = 0; batch < 12; batch++) come(1000);
    expect(list.waiting.value).toBe(12_000);
    expect(list.release()).toBe(false);
    expect(list.waiting.value).toBe(0);
  });

  test("push out the oldest while somebody follows the newest", () => {
    for (let batch = 0; batch < 11; batch++) come(list.CAPACITY / 10);
    expect(list.rows.size).toBe(list.CAPACITY);
    expect(newest()).toBe(`node-1-${made}`);
  });

  test("push out nothing while somebody reads", () => {
    come(list.CAPACITY - 2);
    list.following.value = false;
    const first = list.rows.first;
    come(2);
    come(2);
    expect(list.rows.first).toBe(first);
    expect(list.waiting.value).toBe(2);
  });
});

describe("older rows", () => {
  test("go before the others, each once", () => {
    const past = some(4);
    list.receive(past.slice(2), false, 0);
    vi.runAllTimers();
    expect(list.addOlder(past)).toBe(2);
    expect(list.rows.at(list.rows.first)?.id).toBe(past[0]?.id);
    expect(list.rows.size).toBe(4);
  });

  test("push out the newest when memory is full; going to these is asking anew", () => {
    const past = some(5);
    come(list.CAPACITY);
    list.following.value = false;
    list.addOlder(past);
    expect(list.rows.size).toBe(list.CAPACITY);
    expect(list.waiting.value).toBe(5);
    expect(list.release()).toBe(false);
  });
});

describe("after the connection was lost", () => {
  test("the list goes on where it was", () => {
    const known = come(10);
    list.following.value = false;
    list.begin(true);
    list.receive([...known.slice(5), ...some(2)], true, 0);
    vi.runAllTimers();
    expect(list.rows.size).toBe(12);
    expect(list.following.value).toBe(false);
  });

  test("the list begins anew if there is a gap", () => {
    come(10);
    list.begin(true);
    come(list.PAGE_ROWS, true);
    expect(list.rows.size).toBe(list.PAGE_ROWS);
  });
});

describe("another question", () => {
  test("replaces what is shown, and ends a pause", () => {
    come(10);
    list.paused.value = true;
    list.begin(false);
    expect(list.rows.size).toBe(10);
    come(3, true);
    expect([list.rows.size, list.paused.value]).toEqual([3, false]);
  });

  test("whose answer takes its time does not leave the rows of the one before", () => {
    come(10);
    list.begin(false);
    vi.advanceTimersByTime(1000);
    expect(list.rows.size).toBe(0);
  });
});
