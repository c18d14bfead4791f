import { expect, test } from "vitest";
import { moved, reveal, visible } from "../../src/traffic/list/viewport";

test("so few rows are drawn, however many there are", () => {
  const span = visible(1_400_000, 600, 28, 0, 100_000);
  expect(span.to - span.from).toBeLessThan(70);
  expect(span.from).toBeLessThanOrEqual(50_000);
  expect(span.to).toBeGreaterThanOrEqual(50_000 + Math.ceil(600 / 28));
});

test("no rows are drawn beyond the first and the last", () => {
  expect(visible(0, 600, 28, -500, -490)).toEqual({ from: -500, to: -490 });
  expect(visible(0, 600, 28, 7, 7)).toEqual({ from: 7, to: 7 });
});

test("rows are numbered from wherever the oldest is", () => {
  expect(visible(28 * 100, 280, 28, -500, 0).from).toBe(-416);
});

test("a row outside of what is seen is scrolled to, and no farther", () => {
  expect(reveal(5, 280, 280, 28)).toBe(140);
  expect(reveal(12, 280, 280, 28)).toBeNull();
  expect(reveal(20, 280, 280, 28)).toBe(308);
});

test.each([
  ["ArrowDown", 5, 6],
  ["ArrowUp", 5, 4],
  ["PageDown", 5, 9],
  ["PageUp", 5, 0],
  ["Home", 5, 0],
  ["End", 5, 9],
  ["ArrowDown", 9, 9],
  ["ArrowDown", null, 0],
  ["ArrowUp", null, 9],
  ["x", 5, null],
])("%s from %s leads to %s", (key, at, target) => {
  expect(moved(key, at, { from: 0, to: 10 }, 8)).toBe(target);
});

test("nothing is selected where there is nothing", () => {
  expect(moved("ArrowDown", null, { from: 3, to: 3 }, 8)).toBeNull();
});
