import { h, options } from "preact";
import { afterEach, describe, expect, test } from "vitest";
import { seen, showUnseen } from "../../src/ui/unseen";

describe("text of strangers", () => {
  test("shows what has no shape", () => {
    expect(seen("a\u202eb")).toBe("a\\u202eb");
    expect(seen("\x1b[31m\x9b\x7f")).toBe("\\x1b[31m\\x9b\\x7f");
    expect(seen("\u200b\ufeff\u{e0041}")).toBe("\\u200b\\ufeff\\u{e0041}");
  });

  test("stays as it is where everything is seen", () => {
    for (const text of ["", "line\n\tend\r\n", "é → 日本 😀", "12\u202fms"])
      expect(seen(text)).toBe(text);
  });
});

describe("whatever is put into the page", () => {
  const before = options.vnode ?? (() => {});
  afterEach(() => {
    options.vnode = before;
  });

  test("is such text, in elements and their titles", () => {
    showUnseen();
    const made = h("p", { title: "\u202e" }, "a\u202e", h("b", null, "\x85"), 7);
    expect(made.props.title).toBe("\\u202e");
    const [text, bold, number] = made.props.children as [string, ReturnType<typeof h>, number];
    expect([text, bold.props.children, number]).toEqual(["a\\u202e", "\\x85", 7]);
  });
});
