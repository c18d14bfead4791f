import { describe, expect, test } from "vitest";
import { fold } from "../../src/map/fold";
import { edge, node } from "./samples";

const graph = {
  nodes: [
    node("a1", { namespace: "a" }),
    node("a2", { namespace: "a", pods: 3 }),
    node("a3", { namespace: "a" }),
    node("b1", { namespace: "b" }),
    node("host", { namespace: "", kind: "host" }),
  ],
  edges: [
    edge("host", "a1", { requests: 5, errors: 1 }),
    edge("host", "a2", { requests: 7, protocols: ["grpc"] }),
    edge("a1", "a2"),
    edge("a3", "b1"),
  ],
};

describe("folding", () => {
  test("leaves alone what fits", () => {
    const { nodes, folded } = fold(graph, 5);
    expect(nodes.map(({ id }) => id)).toEqual(["a1", "a2", "a3", "b1", "host"]);
    expect(folded).toEqual([]);
  });

  test("makes the largest namespace one node, which says for how many it stands", () => {
    const { nodes, folded } = fold(graph, 4);
    expect(folded).toEqual(["a"]);
    expect(nodes.find(({ kind }) => kind === "namespace")).toMatchObject({ members: 3, pods: 5 });
    expect(nodes).toHaveLength(3);
  });

  test("adds up edges, whose percentiles are then not known", () => {
    const { edges } = fold(graph, 4);
    expect(edges.map(({ source, target }) => [source, target])).toEqual([
      ["host", "namespace/a"],
      ["namespace/a", "b1"],
    ]);
    expect(edges[0]).toMatchObject({
      requests: 12,
      errors: 1,
      protocols: ["grpc", "http"],
      p50_us: null,
      filter: "(from host to a1) || (from host to a2)",
    });
    expect(edges[1]).toMatchObject({ p50_us: 1000, filter: "from a3 to b1" });
  });
});
