// Moving about on the map: mouse, wheel, fingers and keys.
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Layout, Point } from "./layout";
import { fitted, panned, revealed, type Size, type View, zoomed } from "./view";

const STEP_PX = 60;
const ZOOM_STEP = 1.25;
// From here on it is a drag, and no press on what is below.
const DRAG_PX = 5;

export interface Navigation {
  view: Signal<View>;
  /** Whether the map is fitted to its place by itself, as long as nobody moved it. */
  fits: Signal<boolean>;
  zoom: (factor: number) => void;
  fit: () => void;
  reveal: (point: Point) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export function useNavigation(place: RefObject<HTMLElement | null>, layout: Layout): Navigation {
  const view = useSignal<View>({ x: 0, y: 0, scale: 1 });
  const fits = useSignal(true);
  const latest = useRef(layout);
  latest.current = layout;
  const move = (next: View) => {
    fits.value = false;
    view.value = next;
  };
  const size = (): Size => ({
    width: place.current?.clientWidth ?? 1,
    height: place.current?.clientHeight ?? 1,
  });
  const zoom = (factor: number) =>
    move(zoomed(view.value, factor, { x: size().width / 2, y: size().height / 2 }));
  const fitAll = () => {
    fits.value = true;
    if (latest.current.nodes.size) view.value = fitted(latest.current, size());
  };
  useEffect(() => {
    if (fits.value) fitAll();
  }, [layout]);
  useEffect(() => {
    if (!place.current) return;
    const element = place.current;
    const observer = new ResizeObserver(() => fits.value && fitAll());
    observer.observe(element);
    const forget = hearPointers(element, view, move);
    return () => {
      observer.disconnect();
      forget();
    };
  }, []);
  return {
    view,
    fits,
    zoom,
    fit: fitAll,
    reveal: (point) => {
      const next = revealed(view.value, point, size());
      if (next.x !== view.value.x || next.y !== view.value.y) move(next);
    },
    onKeyDown: (event) => {
      const act = KEYS[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (act === "all") fitAll();
      else if (typeof act === "number") zoom(act);
      else move(panned(view.value, act.x, act.y));
    },
  };
}

const KEYS: Record<string, Point | number | "all"> = {
  ArrowLeft: { x: STEP_PX, y: 0 },
  ArrowRight: { x: -STEP_PX, y: 0 },
  ArrowUp: { x: 0, y: STEP_PX },
  ArrowDown: { x: 0, y: -STEP_PX },
  "+": ZOOM_STEP,
  "=": ZOOM_STEP,
  "-": 1 / ZOOM_STEP,
  "0": "all",
};

/** One pointer moves the map, two zoom it, and so does the wheel. */
function hearPointers(element: HTMLElement, view: Signal<View>, move: (view: View) => void) {
  const pointers = new Map<number, Point>();
  let travelled = 0;
  const at = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const listeners: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void } =
    {
      pointerdown: (event) => {
        if (event.button !== 0) return;
        if (pointers.size === 0) travelled = 0;
        pointers.set(event.pointerId, at(event));
      },
      pointermove: (event) => {
        const before = pointers.get(event.pointerId);
        if (!before) return;
        const now = at(event);
        const others = [...pointers].filter(([id]) => id !== event.pointerId);
        pointers.set(event.pointerId, now);
        travelled += distance(before, now);
        if (travelled < DRAG_PX) return;
        // Only now: a captured pointer's click does not reach what is below it.
        element.setPointerCapture(event.pointerId);
        const other = others[0]?.[1];
        if (!other) move(panned(view.value, now.x - before.x, now.y - before.y));
        else
          move(
            zoomed(
              view.value,
              distance(other, now) / (distance(other, before) || 1),
              middle(other, now),
            ),
          );
      },
      pointerup: (event) => pointers.delete(event.pointerId),
      pointercancel: (event) => pointers.delete(event.pointerId),
      // After a drag the press is not meant.
      click: (event) => {
        if (travelled < DRAG_PX) return;
        event.preventDefault();
        event.stopPropagation();
        travelled = 0;
      },
      dragstart: (event) => event.preventDefault(),
      wheel: (event) => {
        event.preventDefault();
        const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
        move(zoomed(view.value, Math.exp((-event.deltaY * lines) / 400), at(event)));
      },
    };
  const options = { capture: true, passive: false };
  for (const [name, listener] of Object.entries(listeners))
    element.addEventListener(name, listener as EventListener, options);
  return () => {
    for (const [name, listener] of Object.entries(listeners))
      element.removeEventListener(name, listener as EventListener, options);
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
