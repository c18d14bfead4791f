import { describe, expect, test } from "vitest";
import { count, counted, duration, rate, share } from "../../src/ui/format";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("a share", () => {
  test("has one digit behind the point, if it is not 0", () => {
    expect(plain(share(1 / 3))).toBe("33.3 %");
    expect(plain(share(0.5))).toBe("50 %");
    expect(plain(share(0))).toBe("0 %");
    expect(plain(share(1))).toBe("100 %");
  });

  test("is nothing only where there is nothing, and all only where it is all", () => {
    expect(plain(share(0.0004))).toBe("<0.1 %");
    expect(plain(share(0.9996))).toBe(">99.9 %");
  });
});

describe("a duration", () => {
  test("has the unit that leaves few digits", () => {
    expect(plain(duration(850))).toBe("850 µs");
    expect(plain(duration(1_240))).toBe("1.2 ms");
    expect(plain(duration(340_400))).toBe("340 ms");
    expect(plain(duration(2_500_000))).toBe("2.5 s");
  });

  test("is a dash when it is not known", () => {
    expect(duration(null)).toBe("–");
  });
});

describe("a rate", () => {
  test("of very few is not 0", () => {
    expect(rate(0)).toBe("0/s");
    expect(rate(0.02)).toBe("<0.1/s");
  });

  test("of many is short", () => {
    expect(rate(2.44)).toBe("2.4/s");
    expect(rate(118.2)).toBe("118/s");
    expect(rate(12_340)).toBe("12.3k/s");
  });
});

test("counts have their thousands apart, and their word in the right number", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(counted(1, "Pod")).toBe("1 Pod");
  expect(counted(0, "Pod")).toBe("0 Pods");
});
