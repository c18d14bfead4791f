import { expect, test } from "vitest";
import type { FilterProblem } from "../../src/messages";
import { completed, problemSpan, toCharacters } from "../../src/traffic/filter/places";
import { withNewest } from "../../src/traffic/filter/recent";

const problem = (column: number, end: number, line = 1): FilterProblem => ({
  type: "filter_problem",
  watch: 0,
  message: "",
  line,
  column,
  end,
});

test("a problem is where the server says, counted in characters", () => {
  expect(problemSpan("http && stauts", problem(9, 15))).toEqual([8, 14]);
  expect(problemSpan('"🐟" && x', problem(8, 9))).toEqual([8, 9]);
  expect(problemSpan("a\nbc", problem(2, 3, 2))).toEqual([3, 4]);
});

test("what is missing at the end is marked behind it", () => {
  expect(problemSpan("http &&", problem(8, 8))).toEqual([7, 8]);
});

test("a completion takes the place of what was begun", () => {
  const taken = { text: "status_code", start: 8, type: "int", doc: "" };
  expect(completed("http && sta == 4", 11, taken)).toEqual(["http && status_code == 4", 19]);
});

test("characters are counted, not UTF-16 units", () => {
  expect(toCharacters("🐟🐟x", 4)).toBe(2);
});

test("the newest filter comes first, once", () => {
  expect(withNewest(["a", "b"], "b")).toEqual(["b", "a"]);
  expect(withNewest(Array.from({ length: 30 }, String), "x")).toHaveLength(20);
});
