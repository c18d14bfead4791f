// The menu on a value: show only what has it, or what has it not.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ask, question } from "../question";
import { and, type Choice, not } from "./compose";
import "./menu.css";

interface Open {
  choices: Choice[];
  x: number;
  y: number;
  opener: HTMLElement | null;
}

const open = signal<Open | null>(null);

/** Offer conditions at a place of the window; the focus goes back to the opener. */
export function openMenu(choices: Choice[], x: number, y: number, opener: HTMLElement | null) {
  open.value = choices.length ? { choices, x, y, opener } : null;
}

function close() {
  const opener = open.peek()?.opener;
  open.value = null;
  if (opener?.isConnected) opener.focus();
}

function add(term: string) {
  close();
  ask({ filter: and(question.peek().filter, term) });
}

export function FilterMenu() {
  return open.value && <Menu {...open.value} />;
}

function Menu({ choices, x, y }: Open) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    element.style.top = `${Math.max(4, y + height + 4 > innerHeight ? y - height : y)}px`;
    element.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const leave = (event: PointerEvent) => {
      if (!element.contains(event.target as Node)) open.value = null;
    };
    addEventListener("pointerdown", leave, true);
    return () => removeEventListener("pointerdown", leave, true);
  }, [x, y]);
  return (
    <div class="menu" role="menu" aria-label="Filter" ref={menu} tabIndex={-1} onKeyDown={onKey}>
      {choices.map(({ label, term }) => (
        <div role="group" aria-label={label} key={term}>
          <button type="button" role="menuitem" tabIndex={-1} onClick={() => add(term)}>
            <b>Only</b> <code>{term}</code>
          </button>
          <button type="button" role="menuitem" tabIndex={-1} onClick={() => add(not(term))}>
            <b>Not</b> <code>{term}</code>
          </button>
        </div>
      ))}
    </div>
  );
}

function onKey(event: KeyboardEvent) {
  const items = [
    ...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=menuitem]"),
  ];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const step: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  const to = step[event.key];
  if (event.key === "Escape" || event.key === "Tab") close();
  else if (to !== undefined) items.at(to >= items.length ? 0 : to)?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
