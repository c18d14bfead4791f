import { describe, expect, test } from "vitest";
import { commandIn, podsCommand, trafficTo, tryCommand } from "../../src/services/links";
import { endpoint, service } from "./samples";

describe("the filter of an endpoint", () => {
  test("is by its Pod", () => {
    expect(trafficTo(service("web"), endpoint("web-1"))).toBe(
      'dst.service.name == "web" && dst.service.namespace == "default" && endpoint.pod.name == "web-1"',
    );
  });

  test("is by its address where it is no Pod", () => {
    expect(trafficTo(service("web"), endpoint(""))).toContain('endpoint.ip == "10.244.0.7"');
  });
});

describe("commands", () => {
  test("ask for the Pods of the selector, if there is one", () => {
    expect(podsCommand(service("web", { selector: { app: "web", tier: "front" } }))).toBe(
      "kubectl get pods -n default -l app=web,tier=front",
    );
    expect(podsCommand(service("web"))).toBe("");
  });

  test("ask the Service where it has an address and a TCP port", () => {
    expect(tryCommand(service("web"))).toBe("curl http://10.96.3.4:80/");
    expect(tryCommand(service("web", { cluster_ips: ["fd00::1"] }))).toBe(
      "curl http://[fd00::1]:80/",
    );
    expect(tryCommand(service("web", { cluster_ips: ["None"] }))).toBe("");
    expect(tryCommand(service("web", { ports: [] }))).toBe("");
  });

  test("are found at the end of what to do", () => {
    expect(commandIn("kubectl describe pod a -n b")).toEqual({
      before: "",
      command: "kubectl describe pod a -n b",
    });
    expect(commandIn("compare with the labels: kubectl get pods --show-labels")).toEqual({
      before: "compare with the labels:",
      command: "kubectl get pods --show-labels",
    });
  });

  test("are not cut out of the middle of it", () => {
    for (const text of [
      "give it a selector",
      "see what listens: kubectl exec a -- ss -ltn; then correct targetPort",
      "nobody runs kubectl here",
    ])
      expect(commandIn(text)).toEqual({ before: text, command: "" });
  });
});
