import { describe, expect, test } from "vitest";
import { arranged } from "../../src/map/layout";
import { lineOf, portsOf, thickness } from "../../src/map/lines";
import { isLive, observed } from "../../src/map/liveness";
import { between } from "../../src/map/tween";
import { edge } from "./samples";

describe("traffic is live", () => {
  const count = (requests: number) => new Map([["a → b", requests]]);

  test("where the count has risen a moment ago", () => {
    const first = observed(new Map(), count(5), 0);
    expect(isLive(first.get("a → b"), 0)).toBe(false);
    const second = observed(first, count(6), 1_000);
    expect(isLive(second.get("a → b"), 1_000)).toBe(true);
    const third = observed(second, count(6), 9_000);
    expect(isLive(third.get("a → b"), 9_000)).toBe(true);
    expect(isLive(third.get("a → b"), 60_000)).toBe(false);
  });

  test("where an edge is new, but not where all are", () => {
    const first = observed(new Map(), count(5), 0);
    const second = observed(first, new Map([...count(5), ["b → c", 1]]), 1_000);
    expect(isLive(second.get("b → c"), 1_000)).toBe(true);
    expect(isLive(second.get("a → b"), 1_000)).toBe(false);
  });

  test("not where the window forgets", () => {
    const after = observed(observed(new Map(), count(5), 0), count(3), 1_000);
    expect(isLive(after.get("a → b"), 1_000)).toBe(false);
  });
});

describe("on the way from one layout to the next", () => {
  const from = arranged(["a", "b"], [edge("a", "b")], null);
  const to = {
    ...from,
    nodes: new Map([...from.nodes].map(([id, { x, y }]) => [id, { x: x + 10, y: y + 20 }])),
  };

  test("all are as far as the time is", () => {
    const { x, y } = from.nodes.get("a") ?? { x: 0, y: 0 };
    expect(between(from, to, 0.5).nodes.get("a")).toEqual({ x: x + 5, y: y + 10 });
  });

  test("what is new is where it will be", () => {
    const none = { nodes: new Map(), edges: new Map() };
    expect(between(none, to, 0.1)).toEqual(to);
  });
});

describe("lines", () => {
  test("grow with the requests, and not without end", () => {
    expect(thickness(10)).toBeGreaterThan(thickness(1));
    expect(thickness(1e9)).toBe(thickness(1e8));
  });

  test("that meet at a node keep apart, in the order they come", () => {
    const edges = [edge("a", "x"), edge("b", "x"), edge("c", "x")];
    const layout = arranged(["a", "b", "c", "x"], edges, null);
    const ports = portsOf(edges, layout);
    const arriving = [...ports]
      .map(([key, { arrives }]) => ({ arrives, y: layout.edges.get(key)?.bends.at(-1)?.y ?? 0 }))
      .sort((a, b) => a.y - b.y);
    expect(arriving.map(({ arrives }) => arrives)).toEqual([-10, 0, 10]);
  });

  test("are none where an end is not on the map", () => {
    const layout = arranged(["a", "b"], [edge("a", "b")], null);
    expect(lineOf({ source: "a", target: "gone" }, layout, undefined, 8)).toBeNull();
    expect(lineOf({ source: "a", target: "b" }, layout, undefined, 8)?.d).toMatch(/^M[-\d.]+,/);
  });
});
