import { describe, expect, test } from "vitest";
import { type Json, readJson } from "../../src/traffic/details/json";

function plain(json: Json | null): unknown {
  if (json?.kind === "object") {
    return Object.fromEntries(json.members.map(([name, value]) => [name, plain(value)]));
  }
  return json?.kind === "array" ? json.items.map(plain) : json?.text;
}

describe("JSON of strangers", () => {
  test("is read with its numbers as they were written", () => {
    const tree = readJson(' {"id": 12345678901234567890, "x": 1.50, "ok": true, "no": null} ');
    expect(plain(tree)).toEqual({ id: "12345678901234567890", x: "1.50", ok: "true", no: "null" });
  });

  test("keeps members that are there twice, and their order", () => {
    const tree = readJson('{"b":1,"a":2,"b":3,"__proto__":4}');
    const names = tree?.kind === "object" ? tree.members.map(([name]) => name) : [];
    expect(names).toEqual(["b", "a", "b", "__proto__"]);
  });

  test("has its escapes undone", () => {
    expect(plain(readJson('["a\\"b", "\\u00e9\\n"]'))).toEqual(['a"b', "é\n"]);
  });

  test.each(["", "nothing", "{a:1}", "[1,]", "[1] x", '{"a" 1}', "[01]", '"open', '["\\x"]'])(
    "%j is none",
    (text) => {
      expect(readJson(text)).toBeNull();
    },
  );

  test("that was cut off is read as far as it goes", () => {
    const tree = readJson('{"pets": [{"name": "Rex"}, {"name": "To');
    expect(plain(tree)).toEqual({ pets: [{ name: "Rex" }, {}] });
    expect(tree?.kind === "object" && tree.cut).toBe(true);
  });

  test("within JSON, without end, ends nothing", () => {
    expect(readJson("[".repeat(250_000))).toBeNull();
    expect(readJson(`${'{"a":'.repeat(150)}1${"}".repeat(150)}`)).not.toBeNull();
  });
});
