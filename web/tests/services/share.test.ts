import { describe, expect, test } from "vitest";
import { movingShares, movingSums, numbered, stacked, together } from "../../src/services/share";

describe("shares over time", () => {
  test("are of what all endpoints got in the last buckets", () => {
    expect(
      movingShares(
        [
          [1, 3, 0],
          [1, 1, 4],
        ],
        2,
      ),
    ).toEqual([
      [1 / 2, 4 / 6, 3 / 8],
      [1 / 2, 2 / 6, 5 / 8],
    ]);
  });

  test("are not known where nobody got anything", () => {
    expect(
      movingShares(
        [
          [0, 2, 0, 0],
          [0, 0, 0, 0],
        ],
        2,
      ),
    ).toEqual([
      [null, 1, 1, null],
      [null, 0, 0, null],
    ]);
  });

  test("of no endpoints are none", () => {
    expect(movingShares([], 3)).toEqual([]);
  });
});

test("a moving sum forgets what is older than its width", () => {
  expect(movingSums([1, 2, 3, 4], 2)).toEqual([1, 3, 5, 7]);
  expect(movingSums([1, 2, 3, 4], 9)).toEqual([1, 3, 6, 10]);
});

test("layers lie upon one another, and the top one is the sum", () => {
  const series = [
    [1, 2],
    [3, 0],
    [0, 5],
  ];
  expect(stacked(series)).toEqual([
    [1, 2],
    [4, 2],
    [4, 7],
  ]);
  expect(together(series)).toEqual([4, 7]);
});

describe("the numbers of lines", () => {
  test("stay when others come and go", () => {
    const first = numbered(new Map(), ["a", "b", "c"]);
    const second = numbered(first, ["x", "c", "a"]);
    expect(second.get("a")).toBe(first.get("a"));
    expect(second.get("c")).toBe(first.get("c"));
    expect(second.get("x")).toBe(first.get("b"));
  });

  test("are never the same for two", () => {
    const numbers = numbered(new Map([["c", 0]]), ["a", "b", "c"]);
    expect(new Set(numbers.values()).size).toBe(3);
  });
});
