import { describe, expect, test } from "vitest";
import { matching, parseOrder, pressed, sorted, worst } from "../../src/services/order";
import { endpoint, service } from "./samples";

const names = (services: { name: string }[]) => services.map(({ name }) => name);

describe("the order", () => {
  test("is by name, with numbers by what they are worth", () => {
    const all = [service("web-10"), service("web-9"), service("api")];
    expect(names(sorted(all, parseOrder(null)))).toEqual(["api", "web-9", "web-10"]);
  });

  test("falls with a minus, and equals stay by name", () => {
    const all = [
      service("a", { rate_per_s: 1 }),
      service("c", { rate_per_s: 5 }),
      service("b", { rate_per_s: 5 }),
    ];
    expect(names(sorted(all, parseOrder("-rate")))).toEqual(["b", "c", "a"]);
  });

  test("is the usual one where the address says nonsense", () => {
    expect(parseOrder("-constructor")).toEqual(parseOrder(null));
    expect(parseOrder("-")).toEqual(parseOrder(null));
  });

  test("of numbers begins with the most, of texts with the first; a second press turns it", () => {
    expect(pressed(parseOrder(null), "rate")).toBe("-rate");
    expect(pressed(parseOrder("-rate"), "rate")).toBe("rate");
    expect(pressed(parseOrder(null), "type")).toBe("type");
    expect(pressed(parseOrder(null), "name")).toBe("-name");
    expect(pressed(parseOrder("-name"), "name")).toBe("");
  });

  test("by findings has the worst first", () => {
    const finding = (severity: "good" | "warning" | "error") => [{ severity, what: "", mend: "" }];
    const all = [
      service("fine", { findings: finding("good") }),
      service("bad", { findings: [...finding("good"), ...finding("error")] }),
      service("odd", { findings: finding("warning") }),
      service("plain"),
    ];
    expect(names(sorted(all, parseOrder("-finding"))).slice(0, 2)).toEqual(["bad", "odd"]);
    expect(worst(service("plain"))).toBeNull();
  });

  test("by readiness has first who lacks an endpoint, none at all before that", () => {
    const all = [
      service("whole", { endpoints: [endpoint("a")] }),
      service("half", { endpoints: [endpoint("a"), endpoint("b", { ready: false })] }),
      service("left", { endpoints: [endpoint("a", { ready: true, gone: true })] }),
      service("empty", { endpoints: [] }),
    ];
    expect(names(sorted(all, parseOrder("ready")))).toEqual(["empty", "left", "half", "whole"]);
  });
});

describe("the search", () => {
  const all = [
    service("api", { cluster_ips: ["10.96.7.7"], selector: { app: "shop-api" } }),
    service("web", { namespace: "shop", service_type: "LoadBalancer" }),
  ];

  test("finds all words anywhere: name, namespace, type, address, port, selector", () => {
    expect(names(matching(all, "", "SHOP"))).toEqual(["api", "web"]);
    expect(names(matching(all, "", "shop balancer"))).toEqual(["web"]);
    expect(names(matching(all, "", "10.96.7.7 app=shop"))).toEqual(["api"]);
    expect(matching(all, "", "shop nowhere")).toEqual([]);
  });

  test("stays in the namespace that was chosen", () => {
    expect(names(matching(all, "shop", ""))).toEqual(["web"]);
  });
});
