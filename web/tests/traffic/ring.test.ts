import { describe, expect, test } from "vitest";
import { Ring } from "../../src/traffic/ring";

function contents(ring: Ring<string>): (string | undefined)[] {
  return Array.from({ length: ring.size }, (_, index) => ring.at(ring.first + index));
}

describe("a ring", () => {
  test("keeps what fits, and lets the oldest go", () => {
    const ring = new Ring<string>(3);
    ring.append(["a", "b"]);
    ring.append(["c", "d"]);
    expect(contents(ring)).toEqual(["b", "c", "d"]);
    expect(ring.first).toBe(1);
  });

  test("keeps each item's number when others come and go", () => {
    const ring = new Ring<string>(3);
    ring.append(["a", "b", "c", "d"]);
    expect(ring.at(3)).toBe("d");
    expect(ring.at(0)).toBeUndefined();
    expect(ring.at(4)).toBeUndefined();
  });

  test("takes older items before the others, and lets the newest go", () => {
    const ring = new Ring<string>(4);
    ring.append(["c", "d"]);
    ring.prepend(["x", "a", "b"]);
    expect(contents(ring)).toEqual(["x", "a", "b", "c"]);
    expect(ring.first).toBe(-3);
    ring.append(["e"]);
    expect(contents(ring)).toEqual(["a", "b", "c", "e"]);
  });

  test("never gives a number twice, even when it was emptied", () => {
    const ring = new Ring<string>(2);
    ring.append(["a", "b", "c"]);
    ring.clear();
    expect(ring.size).toBe(0);
    expect(ring.at(2)).toBeUndefined();
    ring.append(["d"]);
    expect([ring.first, ring.at(3)]).toEqual([3, "d"]);
  });
});
