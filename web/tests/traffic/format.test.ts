import { expect, test } from "vitest";
import {
  address,
  duration,
  inMilliseconds,
  outcome,
  requestLine,
  size,
  timeOfDay,
} from "../../src/traffic/format";
import { row } from "./samples";

test("times have three digits in the column, and a unit elsewhere", () => {
  expect([420, 12_340, 1_240_000].map(inMilliseconds)).toEqual(["0.42", "12.3", "1240"]);
  expect([420, 12_340, 1_240_000, 16_000_000].map(duration)).toEqual([
    "420 µs",
    "12.3 ms",
    "1.24 s",
    "16.0 s",
  ]);
});

test("sizes have the unit that suits them", () => {
  expect([312, 1234, 4_500_000].map(size)).toEqual(["312 B", "1.2 kB", "4.5 MB"]);
});

test("the time of day has milliseconds", () => {
  expect(timeOfDay(new Date(2026, 10, 22, 5, 4, 3, 7).getTime())).toBe("05:04:03.007");
});

test("IPv6 addresses stand in brackets before a port", () => {
  expect(address({ ip: "fd00::1", port: 80 })).toBe("[fd00::1]:80");
  expect(address({ ip: "10.0.0.1", port: 0 })).toBe("10.0.0.1");
});

test.each([
  ["200", "good"],
  ["302", "quiet"],
  ["404", "warning"],
  ["503", "error"],
])("HTTP's %s is %s", (status, tone) => {
  expect(outcome(row({ status }))).toEqual({ text: status, tone });
});

test("what failed on the way says so, whatever the protocol", () => {
  expect(outcome(row({ failure: "refused", status: "refused", protocol: "tcp" }))).toEqual({
    text: "refused",
    tone: "failure",
  });
  expect(outcome(row({ failure: "open", status: "" })).tone).toBe("unknown");
});

test("NXDOMAIN is the usual answer on the way through the search domains", () => {
  expect(outcome(row({ protocol: "dns", status: "NXDOMAIN" })).tone).toBe("quiet");
  expect(outcome(row({ protocol: "dns", status: "SERVFAIL", error: true })).tone).toBe("error");
});

test("the request's line says what was asked, not what came of it", () => {
  expect(requestLine(row({ path: "/pets" }))).toBe("/pets");
  const dns = { protocol: "dns", method: "A", path: "", summary: "A web.default → 10.0.0.1" };
  expect(requestLine(row(dns))).toBe("web.default");
  expect(requestLine(row({ protocol: "tcp", path: "", summary: "TCP" }))).toBe("to port 80");
});
