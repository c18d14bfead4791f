import { describe, expect, test } from "vitest";
import { eitherOf, filterOf } from "../../src/map/links";
import {
  aboutNode,
  edgeInWords,
  nodeInWords,
  shortened,
  troubleOf,
  wrapped,
} from "../../src/map/words";
import { edge, node } from "./samples";

const drawn = (id: string, more = {}) => ({ ...node(id, more), members: 0 as const });
const letters = (text: string) => text.length;

describe("names", () => {
  test("that are too long lose their middle", () => {
    expect(shortened("go-demo-2-api", 13, letters)).toBe("go-demo-2-api");
    expect(shortened("go-demo-2-api", 7, letters)).toBe("go-…api");
    expect(shortened("go-demo-2-api", 0, letters)).toBe("…");
  });

  test("have a second line, which begins behind a hyphen", () => {
    expect(wrapped("go-demo-2-api-round-robin", 14, letters)).toEqual([
      "go-demo-2-api-",
      "round-robin",
    ]);
    expect(wrapped("web", 14, letters)).toEqual(["web"]);
    expect(wrapped("averylongnamewithout", 10, letters)).toEqual(["avery…hout"]);
  });
});

describe("in words", () => {
  test("a node is its kind, place, name and number of Pods", () => {
    expect(nodeInWords(drawn("web", { pods: 3 }))).toBe("Deployment default/web, 3 Pods");
    expect(nodeInWords(drawn("curl", { owner_kind: "Pod" }))).toBe("Pod default/curl");
    expect(nodeInWords(drawn("host", { kind: "host", namespace: "" }))).toBe("host (this machine)");
    expect(aboutNode(drawn("web", { kind: "service" }))).toBe("default · Service");
  });

  test("an edge has all that the picture says by colour and width", () => {
    const text = edgeInWords(edge("a", "b", { requests: 4, errors: 1 }), drawn("a"), drawn("b"));
    expect(text.replaceAll("\u202f", " ")).toBe(
      "Deployment default/a, 1 Pod to Deployment default/b, 1 Pod; http; 4 requests; 1/s; 25 % errors; p50 1 ms; p99 9 ms",
    );
  });

  test("some errors are a warning, many an error", () => {
    expect(troubleOf(edge("a", "b", { requests: 100, errors: 0 }))).toBe("good");
    expect(troubleOf(edge("a", "b", { requests: 100, errors: 4 }))).toBe("warning");
    expect(troubleOf(edge("a", "b", { requests: 100, errors: 5 }))).toBe("error");
  });
});

describe("the filter of a node", () => {
  test("of a workload is what its Pods ask and are asked", () => {
    const filter = filterOf(drawn("web"), []);
    expect(filter).toContain('src.pod.owner.name == "web"');
    expect(filter).toContain('endpoint.pod.owner.name == "web"');
  });

  test("of a stranger is that of its edges", () => {
    const far = drawn("far", { kind: "external", namespace: "" });
    expect(filterOf(far, [edge("a", "far"), edge("a", "b")])).toBe("from a to far");
  });

  test("is none where it were too long for the server", () => {
    expect(eitherOf(["a".repeat(5000), "b".repeat(5000)])).toBe("");
    expect(eitherOf(["a", "", "b"])).toBe("");
  });
});
