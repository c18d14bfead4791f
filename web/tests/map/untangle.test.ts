import { describe, expect, test } from "vitest";
import { crossings, untangled } from "../../src/map/untangle";

describe("untangling", () => {
  test("takes away crossings that need not be", () => {
    const columns = [
      ["a", "b", "c"],
      ["x", "y", "z"],
    ];
    const links = [
      ["a", "z"],
      ["b", "y"],
      ["c", "x"],
    ] as const;
    expect(crossings(columns, links)).toBe(3);
    expect(crossings(untangled(columns, links), links)).toBe(0);
  });

  test("leaves an order without crossings as it is", () => {
    const columns = [
      ["a", "b"],
      ["x", "y"],
    ];
    const links = [
      ["a", "x"],
      ["b", "y"],
    ] as const;
    expect(untangled(columns, links)).toEqual(columns);
  });

  test("never makes it worse, and loses nobody", () => {
    // Three to three, all of them, cross whatever one does.
    const columns = [["a", "b", "c"], ["x", "y", "z"], ["r"]];
    const links = ["a", "b", "c"].flatMap((from) =>
      ["x", "y", "z"].map((to) => [from, to] as const),
    );
    const result = untangled(columns, links);
    expect(crossings(result, links)).toBe(9);
    expect(result.map((column) => [...column].sort())).toEqual(columns);
  });

  test("looks at both sides of a column", () => {
    const columns = [
      ["a", "b"],
      ["m", "n"],
      ["x", "y"],
    ];
    const links = [
      ["a", "n"],
      ["b", "m"],
      ["m", "y"],
      ["n", "x"],
    ] as const;
    expect(crossings(untangled(columns, links), links)).toBe(0);
  });
});
