import { describe, expect, test } from "vitest";
import { arranged } from "../../src/map/layout";
import { fitted, panned, revealed, zoomed } from "../../src/map/view";
import { edge } from "./samples";

const layout = arranged(["a", "b"], [edge("a", "b")], null);
const size = { width: 1000, height: 600 };

test("zooming leaves the point below the pointer where it is", () => {
  const view = zoomed({ x: 30, y: -20, scale: 1 }, 1.5, { x: 400, y: 300 });
  const before = { x: 400 - 30, y: 300 + 20 };
  expect(before.x * view.scale + view.x).toBeCloseTo(400);
  expect(before.y * view.scale + view.y).toBeCloseTo(300);
});

test("zooming ends somewhere", () => {
  let view = { x: 0, y: 0, scale: 1 };
  for (let i = 0; i < 100; i++) view = zoomed(view, 2, { x: 0, y: 0 });
  expect(view.scale).toBeLessThan(10);
});

describe("what fits", () => {
  test("is all within the place", () => {
    const small = { width: 300, height: 300 };
    const view = fitted(layout, small);
    for (const { x } of layout.nodes.values()) {
      expect(x * view.scale + view.x).toBeGreaterThan(0);
      expect(x * view.scale + view.x).toBeLessThan(small.width);
    }
  });

  test("is not made huge on a wide screen", () => {
    expect(fitted(layout, { width: 9000, height: 9000 }).scale).toBeLessThan(1.5);
  });
});

describe("revealing", () => {
  const view = fitted(layout, size);
  const [point = { x: 0, y: 0 }] = layout.nodes.values();

  test("moves nothing that is in sight", () => {
    expect(revealed(view, point, size)).toEqual(view);
  });

  test("brings back what is out of sight", () => {
    const away = panned(view, -5000, 0);
    const back = revealed(away, point, size);
    expect(point.x * back.scale + back.x).toBeGreaterThan(0);
    expect(back.y).toBe(away.y);
  });
});
