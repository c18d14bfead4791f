import { expect, test } from "vitest";
import { parts } from "../../src/traffic/details/timing";
import { moment, spanMs } from "../../src/traffic/moments";

test("a link to the last minutes means these minutes later too", () => {
  const now = Date.parse("2026-11-22T15:00:00Z");
  expect(moment("5m", now)).toBe("2026-11-22T14:55:00.000Z");
  expect(moment("2026-11-22T14:00:00Z", now)).toBe("2026-11-22T14:00:00Z");
  expect(moment("", now)).toBe("");
});

test("spans have one unit", () => {
  expect([spanMs("90s"), spanMs("1h"), spanMs("1d"), spanMs("")]).toEqual([
    90_000,
    3_600_000,
    null,
    null,
  ]);
});

test("the parts of a time follow each other, and fill it", () => {
  const all = parts({ connect: 100, wait: 300, transfer: 100 });
  expect(all.map(({ from, share }) => [from, share])).toEqual([
    [0, 0.2],
    [0.2, 0.6],
    [0.8, 0.2],
  ]);
  expect(parts({ connect: null, wait: 5, transfer: null }).map(({ name }) => name)).toEqual([
    "wait",
  ]);
  expect(parts({ connect: null, wait: null, transfer: null })).toEqual([]);
});
