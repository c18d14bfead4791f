import { describe, expect, test } from "vitest";
import { apart, type Item, steadied } from "../../src/map/steady";

const item = (key: string, y: number, x = 0): Item => ({ key, x, y, height: 10 });
const places = (...items: Item[]) => new Map(items.map((each) => [each.key, each]));
const ys = (items: Item[]) => Object.fromEntries(items.map(({ key, y }) => [key, Math.round(y)]));

describe("a new layout", () => {
  test("is moved as a whole to where most of it was", () => {
    const before = places(item("a", 100, 50), item("b", 200, 50), item("c", 300, 50));
    const after = [item("a", 0), item("b", 100), item("c", 200)];
    expect(ys(steadied(after, before, 5))).toEqual({ a: 100, b: 200, c: 300 });
  });

  test("keeps the order of what was there before", () => {
    const before = places(item("a", 0), item("b", 100), item("c", 200));
    const after = [item("c", 0), item("b", 100), item("a", 200)];
    const result = ys(steadied(after, before, 5));
    expect(result).toEqual({ a: 0, b: 100, c: 200 });
  });

  test("makes room for what is new, and moves the others no more than that needs", () => {
    const before = places(item("a", 0), item("b", 20), item("c", 200));
    const after = [item("a", 0), item("new", 10), item("b", 20), item("c", 200)];
    const result = steadied(after, before, 5);
    const y = ys(result);
    expect(y.c).toBe(200);
    expect(y.new).toBeGreaterThan(y.a ?? 0);
    expect(y.new).toBeLessThan(y.b ?? 0);
    // 15 between each: 30 instead of 20, half of the missing 10 up and half of it down.
    expect(y.a).toBe(-5);
    expect(y.b).toBe(25);
  });

  test("leaves what is new where it is, if nobody is in the way", () => {
    const before = places(item("a", 0));
    expect(ys(steadied([item("a", 0), item("new", 500)], before, 5))).toEqual({ a: 0, new: 500 });
  });

  test("treats what went to another column as new there", () => {
    const before = places(item("a", 0), item("b", 50), item("c", 100), item("d", 150));
    const after = [item("a", 0), item("b", 50), item("c", 100), item("d", 0, 300)];
    const result = steadied(after, before, 5);
    expect(result.find(({ key }) => key === "d")).toMatchObject({ x: 300, y: 0 });
  });
});

describe("places apart", () => {
  const wish = (y: number, weight = 1, height = 10) => ({ y, weight, height });

  test("are the wished ones if these are apart", () => {
    expect(apart([wish(0), wish(20)], 10)).toEqual([0, 20]);
  });

  test("have the gap and half of both heights between them", () => {
    const [a = 0, b = 0] = apart([wish(0, 1, 10), wish(0, 1, 30)], 4);
    expect(b - a).toBe(24);
    expect(a + b).toBe(0);
  });

  test("move the light one rather than the heavy one", () => {
    const [heavy = 0, light = 0] = apart([wish(0, 99), wish(0, 1)], 0);
    expect(Math.abs(heavy)).toBeLessThan(1);
    expect(light - heavy).toBe(10);
  });

  test("keep the order even where the wishes do not", () => {
    const [a = 0, b = 0, c = 0] = apart([wish(100), wish(50), wish(0)], 0);
    expect(a).toBeLessThan(b);
    expect(b).toBeLessThan(c);
  });
});
