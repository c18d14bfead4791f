import { describe, expect, test } from "vitest";
import { ruleInWords, slotGroups } from "../../src/services/slot-groups";
import { endpoint, service } from "./samples";

const a = endpoint("a", { ip: "10.244.0.7" });
const b = endpoint("b", { ip: "fd00::8" });
const front = (node: string, slots: string[], rule = "random", address = "10.96.3.4:80/TCP") => ({
  node,
  front: address,
  rule,
  slots,
  external: false,
  drift: "",
});

describe("slots", () => {
  test("are told once where all nodes and addresses have the same", () => {
    const slots = ["10.244.0.7:8080", "[fd00::8]:8080"];
    const groups = slotGroups(
      service("web", {
        endpoints: [a, b],
        slots: [
          front("node-1", slots),
          front("node-1", slots, "random", "192.168.64.2:30001/TCP"),
          front("node-2", slots),
        ],
      }),
    );
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({
      nodes: ["node-1", "node-2"],
      fronts: ["10.96.3.4:80/TCP", "192.168.64.2:30001/TCP"],
      missing: [],
    });
    expect(groups[0]?.slots.map((slot) => slot.endpoint?.name)).toEqual(["a", "b"]);
    expect(groups[0]?.slots.some(({ drifted }) => drifted)).toBe(false);
  });

  test("that lead to nobody, or to one that is not ready, have drifted", () => {
    const unready = endpoint("c", { ip: "10.244.0.9", ready: false });
    const groups = slotGroups(
      service("web", {
        endpoints: [a, unready],
        slots: [front("node-1", ["10.244.0.7:8080", "10.244.9.9:8080", "10.244.0.9:8080"])],
      }),
    );
    expect(groups[0]?.slots.map(({ drifted }) => drifted)).toEqual([false, true, true]);
  });

  test("that lead to a Pod that is gone have drifted", () => {
    const gone = endpoint("c", { ip: "10.244.0.9", ready: false, terminating: true, gone: true });
    const groups = slotGroups(
      service("web", { endpoints: [gone], slots: [front("node-1", ["10.244.0.9:8080"])] }),
    );
    expect(groups[0]?.slots[0]?.drifted).toBe(true);
  });

  test("stand apart where a kernel differs, or only clients outside are meant", () => {
    const slots = ["10.244.0.7:8080"];
    const groups = slotGroups(
      service("web", {
        endpoints: [a],
        slots: [
          front("node-1", slots),
          { ...front("node-1", slots), external: true },
          { ...front("node-2", slots), drift: "the kernel lacks 10.244.0.8:8080" },
        ],
      }),
    );
    expect(groups.map(({ external, drift }) => [external, drift])).toEqual([
      [false, ""],
      [true, ""],
      [false, "the kernel lacks 10.244.0.8:8080"],
    ]);
  });

  test("may lead to one that terminates: it serves while nobody is ready", () => {
    const leaving = endpoint("c", { ip: "10.244.0.9", ready: false, terminating: true });
    const groups = slotGroups(
      service("web", { endpoints: [leaving], slots: [front("node-1", ["10.244.0.9:8080"])] }),
    );
    expect(groups[0]?.slots[0]?.drifted).toBe(false);
  });

  test("lead to who has an address now, not to who had it", () => {
    const former = endpoint("former", { ip: a.ip, ready: false, gone: true });
    const slots = [front("node-1", ["10.244.0.7:8080"])];
    const [now] = slotGroups(service("web", { endpoints: [former, a], slots }));
    expect(now?.slots[0]).toMatchObject({ endpoint: a, drifted: false });
    const [stale] = slotGroups(service("web", { endpoints: [former], slots }));
    expect(stale?.slots[0]?.drifted).toBe(true);
  });

  test("are apart for clients outside, and where a kernel has drifted", () => {
    const slots = ["10.244.0.7:8080"];
    const groups = slotGroups(
      service("web", {
        endpoints: [a],
        slots: [
          front("node-1", slots),
          { ...front("node-1", slots), external: true },
          { ...front("node-2", slots), drift: "slot 1 is missing" },
        ],
      }),
    );
    expect(groups.map(({ external, drift }) => [external, drift])).toEqual([
      [false, ""],
      [true, ""],
      [false, "slot 1 is missing"],
    ]);
  });

  test("say who is ready and not among them", () => {
    const groups = slotGroups(
      service("web", {
        endpoints: [a, b],
        slots: [front("node-1", ["10.244.0.7:8080"]), front("node-2", [], "reject")],
      }),
    );
    expect(groups.map(({ missing }) => missing)).toEqual([["b"], []]);
  });
});

test("a rule is told with the number of its slots", () => {
  expect(ruleInWords("random", 3)).toContain("random mod 3");
  expect(ruleInWords("round-robin", 2)).toContain("next of the 2 slots");
  expect(ruleInWords("round-robin", 1)).toBe(ruleInWords("random", 1));
  expect(ruleInWords("reject", 0)).toContain("Refuses");
});
