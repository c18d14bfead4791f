// From one layout to the next in a moment rather than at once, so that the eye can follow.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Bend, Layout, Point, Way } from "./layout";

const MOMENT_MS = 350;

/** The layout on its way to `target`; with reduced motion it is there at once. */
export function useTween(target: Layout): Layout {
  const shown = useSignal(target);
  const aim = useRef(target);
  useEffect(() => {
    if (aim.current === target) return;
    aim.current = target;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      shown.value = target;
      return;
    }
    const from = shown.value;
    const began = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      const part = Math.min(1, (now - began) / MOMENT_MS);
      shown.value = part < 1 ? between(from, target, eased(part)) : target;
      if (part < 1) frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [target]);
  return shown.value;
}

/** Part (0..1) of the way; what is not in both is where it will be. */
export function between(from: Layout, to: Layout, part: number): Layout {
  const mix = <P extends Point>(a: Point | undefined, b: P): P =>
    a ? { ...b, x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part } : b;
  const way = (before: Way | undefined, after: Way): Way => {
    if (before?.bends.length !== after.bends.length) return after;
    return { ...after, bends: after.bends.map((bend, at): Bend => mix(before.bends[at], bend)) };
  };
  return {
    nodes: new Map([...to.nodes].map(([id, point]) => [id, mix(from.nodes.get(id), point)])),
    edges: new Map([...to.edges].map(([key, own]) => [key, way(from.edges.get(key), own)])),
  };
}

function eased(part: number): number {
  return 1 - (1 - part) ** 3;
}
