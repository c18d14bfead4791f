import { describe, expect, test } from "vitest";
import { bodyOf, hexLines, multipart } from "../../src/traffic/details/body";

const message = (type: string, body: string, more = {}) => ({
  headers: { "content-type": type },
  body,
  ...more,
});

describe("a body", () => {
  test("is what its type says", () => {
    expect(bodyOf(message("application/json", "[1]")).kind).toBe("json");
    expect(bodyOf(message("application/problem+json; charset=utf-8", "{}")).kind).toBe("json");
    expect(bodyOf(message("text/html", "<p>")).kind).toBe("text");
    expect(bodyOf(message("text/html", "")).kind).toBe("none");
  });

  test("is a text when it is not what its type says", () => {
    expect(bodyOf(message("application/json", "oops"))).toEqual({ kind: "text", text: "oops" });
  });

  test("is JSON without a type that says so, if it looks like it", () => {
    expect(bodyOf(message("", '{"a": 1}')).kind).toBe("json");
  });

  test("that is no text is shown byte by byte", () => {
    const body = bodyOf(message("image/png", "\ufffdPNG", { body_hex: "89504e47" }));
    expect(body).toEqual({ kind: "binary", bytes: new Uint8Array([0x89, 0x50, 0x4e, 0x47]) });
  });
});

test("forms are told field by field", () => {
  const body = bodyOf(message("application/x-www-form-urlencoded", "name=Rex&note=a+b%26c&x="));
  expect(body).toEqual({
    kind: "form",
    fields: [
      { name: "name", value: "Rex", about: "" },
      { name: "note", value: "a b&c", about: "" },
      { name: "x", value: "", about: "" },
    ],
  });
});

test("forms of several parts are told part by part", () => {
  const text = [
    "--mark",
    'Content-Disposition: form-data; name="name"',
    "",
    "Rex",
    "--mark",
    'Content-Disposition: form-data; name="photo"; filename="rex.txt"',
    "Content-Type: text/plain",
    "",
    "woof\r\nwoof",
    "--mark--",
    "",
  ].join("\r\n");
  expect(multipart(text, 'multipart/form-data; boundary="mark"')).toEqual([
    { name: "name", value: "Rex", about: "" },
    { name: "photo", value: "woof\r\nwoof", about: "file rex.txt, text/plain" },
  ]);
  expect(multipart(text, "multipart/form-data")).toBeNull();
});

test("bytes stand beside what of them is text", () => {
  const lines = hexLines(new TextEncoder().encode("Hello, world\n 1234"));
  expect(lines).toEqual([
    ["0000", "48 65 6c 6c 6f 2c 20 77 6f 72 6c 64 0a 20 31 32", "Hello, world· 12"],
    ["0010", "33 34", "34"],
  ]);
});
