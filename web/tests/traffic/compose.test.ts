import { describe, expect, test } from "vitest";
import {
  and,
  cellChoices,
  conjuncts,
  headerTerm,
  not,
  quote,
  rowChoices,
} from "../../src/traffic/filter/compose";
import { row } from "./samples";

describe("a text in a filter", () => {
  test.each([
    ["plain", '"plain"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["two\nlines\ttab\r", '"two\\nlines\\ttab\\r"'],
    ["\u0000\u001b\u007f\u2028", '"\\u0000\\u001b\\u007f\\u2028"'],
    ["grüße 🐟", '"grüße 🐟"'],
    ["half \ud800 a pair", '"half \\ufffd a pair"'],
    ['" || true || "', '"\\" || true || \\""'],
  ])("%j is quoted", (text, literal) => {
    expect(quote(text)).toBe(literal);
  });
});

describe("adding a condition", () => {
  test.each([
    ["", "http", "http"],
    ["http", "error", "http && error"],
    ["http && error", "error", "http && error"],
    ["http || dns", "error", "(http || dns) && error"],
    ["error ? http : dns", "probe", "(error ? http : dns) && probe"],
    ["http", "dns || error", "http && (dns || error)"],
    ["(http || dns) && error", "probe", "(http || dns) && error && probe"],
    ['path == "a || b"', "error", 'path == "a || b" && error'],
    ["path == r'\\' && http", "error", "path == r'\\' && http && error"],
    ['path == "\\" || "', "error", 'path == "\\" || " && error'],
    ["http // only these", "error", "http && error"],
    ['url == "http://web/"', "error", 'url == "http://web/" && error'],
    ["http\n&& error", "probe", "http && error && probe"],
  ])("to %j", (filter, term, both) => {
    expect(and(filter, term)).toBe(both);
  });

  test("splits at the top only", () => {
    expect(conjuncts('a && (b && c) && d == "x && y"')).toEqual(["a", "(b && c)", 'd == "x && y"']);
  });
});

test("the opposite of a comparison is a comparison, of all else a negation", () => {
  expect(not('path == "/a"')).toBe('path != "/a"');
  expect(not("status_code == 404")).toBe("status_code != 404");
  expect(not('a == "x" && b == "y"')).toBe('!(a == "x" && b == "y")');
  expect(not(headerTerm("request", "accept", "*/*"))).toBe(
    '!(map_get(request.headers, "accept", "") == "*/*")',
  );
});

test("cells offer what they show", () => {
  const terms = (cell: Parameters<typeof cellChoices>[1]) =>
    cellChoices(row(), cell).map(({ term }) => term);
  expect(terms("src")).toEqual(['src.pod.name == "shop-1"']);
  expect(terms("dst")).toEqual(['dst.service.name == "web" && dst.service.namespace == "default"']);
  expect(terms("endpoint")).toEqual(['endpoint.pod.name == "web-1"']);
  expect(terms("request")).toEqual(['path == "/pets"', 'method == "GET"']);
  expect(terms("status")).toEqual(['status == "200"']);
});

test("a failure is offered as one, and strangers by their address", () => {
  const odd = row({
    failure: "refused",
    status: "refused",
    endpoint: null,
    src: { kind: "external", name: "1.2.3.4", namespace: "", ip: "1.2.3.4", port: 9 },
  });
  const terms = rowChoices(odd).map(({ term }) => term);
  expect(terms).toContain('failure == "refused"');
  expect(terms).toContain('src.ip == "1.2.3.4"');
});
