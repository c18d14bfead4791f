// Keys that work wherever no text is written, and the list of all keys that Help shows.
import { help } from "./help";
import { togglePause } from "./pause";
import { chosen } from "./question";
import { closeDetails } from "./selection";

export const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓", "Select the row above, below"],
  ["Page Up, Page Down", "The same by a page"],
  ["Home, End", "The oldest row; the newest, and follow it"],
  ["Enter", "Open the details"],
  ["Esc", "Close the details"],
  ["F", "Filter on a value of the selected row"],
  ["/", "Go to the filter; ↑ there shows recent ones"],
  ["Space", "Pause and resume"],
  ["?", "Show these keys"],
];

export function onShortcut(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as Element;
  if (target.closest("input, textarea, select, dialog, [role=menu], [contenteditable]")) return;
  if (!act(event.key, target)) return;
  event.preventDefault();
}

function act(key: string, target: Element): boolean {
  if (key === "/") document.querySelector<HTMLElement>("#filter")?.focus();
  else if (key === "?") help.value = true;
  else if (key === " " && !target.closest("button, a, summary, [role=tab]")) togglePause();
  else if (key === "Escape" && chosen.value) closeDetails();
  else if (target === document.body && /^(Arrow(Up|Down)|Page|Home|End)/.test(key)) {
    const rows = document.querySelector<HTMLElement>("#rows");
    rows?.focus();
    rows?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  } else return false;
  return true;
}
