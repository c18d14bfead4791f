import { describe, expect, test } from "vitest";
import { draw } from "../../src/traffic/details/geometry";
import { pathOf } from "../../src/traffic/details/path";
import type { Picture } from "../../src/traffic/details/shapes";
import { endpoint, entry, pod } from "./samples";

const peers = [
  endpoint("web-3", "10.244.1.9", "its readiness probe fails"),
  endpoint("web-1", "10.244.1.7"),
  endpoint("web-2", "10.244.1.8"),
];

describe("the path of a request", () => {
  test("leads by the look-up and the Service to the Pod that was chosen", () => {
    const path = pathOf({ entry: entry(), peers });
    expect(path.service?.name).toBe("web");
    expect(path.endpoint?.address).toBe("10.244.1.7:8080");
    expect(path.nodes).toEqual({ from: "node-1", to: "node-2" });
    expect(path.words[3]).toContain("The answer was 200 after 1.20 ms");
    expect(path.words[4]).toBe("web-3 is not ready: its readiness probe fails.");
    expect(path.words[2]).toContain("node-1 chose Pod web-1 on node-2, one of 2 that are ready");
  });

  test("has the others that could have been chosen, the ready ones first", () => {
    const path = pathOf({ entry: entry(), peers });
    expect(path.peers.map(({ name, why }) => [name, why])).toEqual([
      ["web-2", ""],
      ["web-3", "its readiness probe fails"],
    ]);
  });

  test("has no Service when a Pod was asked directly", () => {
    const direct = pod("web-1", "10.244.1.7", 8080, "node-2");
    const path = pathOf({ entry: entry({ dst: direct, endpoint: direct }), peers: [] });
    expect(path.service).toBeNull();
    expect(path.words.join(" ")).toContain("directly");
  });

  test.each([
    ["no endpoints", false, null, "service"],
    ["refused", true, null, "endpoint"],
    ["timed out", true, null, "between"],
    ["timed out", false, null, "service"],
    ["icmp host unreachable", true, null, "between"],
    ["reset", true, null, "reply"],
    ["closed", true, {}, "reply"],
  ])("%s (chosen: %s) breaks it at its place", (failure, isChosen, response, place) => {
    const { endpoint: chosen, ...rest } = entry({ failure, response });
    const broken = isChosen && chosen ? { ...rest, endpoint: chosen } : rest;
    const path = pathOf({ entry: broken, peers: [] });
    expect(path.broken).toEqual({ place, what: failure });
    expect(draw(path, 600).breaks).toHaveLength(1);
    expect(path.words.at(-1)).not.toContain("undefined");
  });

  test("is not broken by what only the capture missed", () => {
    expect(pathOf({ entry: entry({ failure: "lost" }), peers: [] }).broken).toBeNull();
  });
});

function overlaps(picture: Picture): string[] {
  return picture.boxes.flatMap((one, index) =>
    picture.boxes
      .slice(index + 1)
      .filter(
        (two) =>
          one.x < two.x + two.width &&
          two.x < one.x + one.width &&
          one.y < two.y + two.height &&
          two.y < one.y + one.height,
      )
      .map((two) => `${one.title} and ${two.title}`),
  );
}

describe("its picture", () => {
  const many = Array.from({ length: 30 }, (_, index) =>
    endpoint(`web-${index}`, `10.244.2.${index}`),
  );

  test.each([300, 340, 519, 520, 700, 1200])("fits into %i pixels without overlaps", (width) => {
    for (const others of [[], peers, many]) {
      const picture = draw(pathOf({ entry: entry(), peers: others }), width);
      expect(overlaps(picture)).toEqual([]);
      for (const box of picture.boxes) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(picture.height);
      }
    }
  });

  test("has the addresses before and after translation", () => {
    const labels = draw(pathOf({ entry: entry(), peers: [] }), 700).labels.map(({ text }) => text);
    expect(labels).toContain("10.244.0.5:40000 → 10.96.0.9:80");
    expect(labels).toContain("10.244.0.5:40000 → 10.244.1.7:8080");
    expect(labels).toContain("10.244.1.7:8080 → 10.244.0.5:40000");
    expect(labels).toContain("10.96.0.9:80 → 10.244.0.5:40000");
  });

  test("does not tell a source that the node may have changed", () => {
    const host = { kind: "host" as const, name: "host", ip: "192.168.64.1", port: 50000 };
    const labels = draw(pathOf({ entry: entry({ src: host }), peers: [] }), 700).labels;
    expect(labels.map(({ text }) => text)).toContain("→ 10.244.1.7:8080");
  });

  test.each([340, 700])("leads the answer back to the client, %i pixels wide", (width) => {
    for (const others of [[], peers]) {
      const { boxes, lines } = draw(pathOf({ entry: entry(), peers: others }), width);
      const asker = boxes.find(({ role }) => role === "client");
      const ends = lines.filter(({ role }) => role === "reply").map(({ to }) => to);
      const [x, y] = ends.reduce((highest, end) => (end[1] < highest[1] ? end : highest));
      expect(y).toBe((asker?.y ?? 0) + (asker?.height ?? 0));
      expect(x).toBeLessThan((asker?.x ?? 0) + (asker?.width ?? 0));
    }
  });

  test("has a border for each node", () => {
    const names = (path: Parameters<typeof draw>[0]) =>
      draw(path, 600).nodes.map(({ name }) => name);
    expect(names(pathOf({ entry: entry(), peers }))).toEqual(["node-1", "node-2"]);
    const near = pod("web-1", "10.244.0.7", 8080, "node-1");
    expect(names(pathOf({ entry: entry({ endpoint: near }), peers }))).toEqual(["node-1"]);
  });

  test("has the border of the endpoint's node around no peer of another node", () => {
    const near = pod("web-1", "10.244.0.7", 8080, "node-1");
    const picture = draw(pathOf({ entry: entry({ endpoint: near }), peers }), 600);
    const [border] = picture.nodes;
    const beside = picture.boxes.filter(({ role }) => role === "peer" || role === "unready");
    for (const { x, y } of beside) {
      const reach = border?.corners.filter((corner) => corner[1] > y).map((corner) => corner[0]);
      expect(Math.max(...(reach ?? []))).toBeLessThan(x);
    }
    expect(beside).toHaveLength(3);
  });

  test("shows no more peers than somebody counts", () => {
    const roles = draw(pathOf({ entry: entry(), peers: many }), 600).boxes.map(({ role }) => role);
    expect(roles.filter((role) => role === "peer").length).toBeLessThan(7);
    expect(roles).toContain("more");
  });
});
