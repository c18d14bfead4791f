import { describe, expect, test } from "vitest";
import { arranged, edgeKey, type Layout, NODE } from "../../src/map/layout";
import { edge } from "./samples";

const ids = ["host", "web", "web-pods", "db", "db-pods"];
const edges = [
  edge("host", "web"),
  edge("web", "web-pods"),
  edge("web-pods", "db"),
  edge("db", "db-pods"),
];

function overlapping(layout: Layout): string[][] {
  const nodes = [...layout.nodes];
  return nodes.flatMap(([id, a], at) =>
    nodes
      .slice(at + 1)
      .filter(([, b]) => Math.abs(a.x - b.x) < NODE.width && Math.abs(a.y - b.y) < NODE.height)
      .map(([other]) => [id, other]),
  );
}

describe("a layout", () => {
  test("goes from left to right", () => {
    const { nodes } = arranged(ids, edges, null);
    const xs = ids.map((id) => nodes.get(id)?.x ?? 0);
    expect(xs).toEqual([...xs].sort((a, b) => a - b));
  });

  test("is the very same while nothing is new, whatever goes", () => {
    const before = arranged(ids, edges, null);
    expect(arranged(ids, edges, before)).toBe(before);
    expect(arranged(ids.slice(0, 3), edges.slice(0, 2), before)).toBe(before);
  });

  test("keeps everybody's place when one more comes at the side", () => {
    const before = arranged(ids, edges, null);
    const after = arranged([...ids, "new"], [...edges, edge("host", "new")], before);
    for (const id of ids) {
      expect(after.nodes.get(id)?.x).toBeCloseTo(before.nodes.get(id)?.x ?? 0);
      const moved = (after.nodes.get(id)?.y ?? 0) - (before.nodes.get(id)?.y ?? 0);
      expect(Math.abs(moved)).toBeLessThanOrEqual(NODE.height);
    }
    expect(overlapping(after)).toEqual([]);
  });

  test("keeps the columns when one more comes in front of all", () => {
    const before = arranged(ids, edges, null);
    const after = arranged(["first", ...ids], [edge("first", "host"), ...edges], before);
    for (const id of ids) expect(after.nodes.get(id)?.x).toBeCloseTo(before.nodes.get(id)?.x ?? 0);
  });

  test("puts the numbers of a line between its ends", () => {
    const { nodes, edges: ways } = arranged(ids, edges, null);
    const way = ways.get(edgeKey({ source: "host", target: "web" }));
    const label = way?.bends[way.label];
    expect(label?.x).toBeGreaterThan(nodes.get("host")?.x ?? 0);
    expect(label?.x).toBeLessThan(nodes.get("web")?.x ?? 0);
  });

  test("takes circles, lines to oneself, and things that nobody talks to", () => {
    const layout = arranged(
      ["a", "b", "alone"],
      [edge("a", "b"), edge("b", "a"), edge("a", "a")],
      null,
    );
    expect(layout.nodes.size).toBe(3);
    expect(layout.edges.get(edgeKey({ source: "a", target: "a" }))?.bends).toEqual([]);
    expect(layout.edges.get(edgeKey({ source: "b", target: "a" }))?.bends.length).toBeGreaterThan(
      0,
    );
    expect(overlapping(layout)).toEqual([]);
  });

  test("does not depend on the order in which things are told", () => {
    const one = arranged(ids, edges, null);
    const other = arranged([...ids].reverse(), [...edges].reverse(), null);
    expect([...other.nodes].sort()).toEqual([...one.nodes].sort());
  });
});
