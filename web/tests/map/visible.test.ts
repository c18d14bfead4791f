import { describe, expect, test } from "vitest";
import { visible } from "../../src/map/visible";
import { edge, node } from "./samples";

const graph = {
  nodes: [
    node("shopper", { namespace: "shop" }),
    node("web", { namespace: "shop" }),
    node("api"),
    node("db"),
    node("kube-dns", { namespace: "kube-system" }),
    node("far", { namespace: "", kind: "external" }),
  ],
  edges: [
    edge("shopper", "web"),
    edge("web", "api"),
    edge("api", "db"),
    edge("api", "kube-dns", { protocols: ["dns"] }),
    edge("db", "far", { protocols: ["dns"] }),
  ],
};
const ids = (nodes: { id: string }[]) => nodes.map(({ id }) => id);

describe("what is shown", () => {
  test("is without look-ups and kube-system, unless they are asked for", () => {
    expect(ids(visible(graph, "", false).nodes)).toEqual(["shopper", "web", "api", "db"]);
    expect(visible(graph, "", true)).toEqual(graph);
    expect(ids(visible(graph, "kube-system", false).nodes)).toEqual(["api", "kube-dns"]);
  });

  test("of a namespace is what it talks to as well", () => {
    expect(ids(visible(graph, "shop", false).nodes)).toEqual(["shopper", "web", "api"]);
  });

  test("has no edge without its ends", () => {
    const torn = { nodes: graph.nodes.slice(0, 2), edges: graph.edges };
    expect(visible(torn, "", true).edges).toEqual([graph.edges[0]]);
  });
});
