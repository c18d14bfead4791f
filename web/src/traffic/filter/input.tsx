// The filter: written, completed, checked in place, and applied with Enter.
import { batch, signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { filterProblem } from "../../live";
import type { Completion, FilterProblem } from "../../messages";
import { ask, question } from "../question";
import { askAbout } from "./ask";
import "./input.css";
import { completed, problemSpan } from "./places";
import { recentFilters, remember } from "./recent";

const COMPLETE_AFTER_MS = 60;
/** Who is still writing is not told that it is wrong. */
const COMPLAIN_AFTER_MS = 900;

interface Popup {
  kind: "completions" | "recent";
  items: Completion[];
  /** The item that Enter takes; -1 for none. */
  at: number;
}

const text = signal("");
const popup = signal<Popup | null>(null);
const problem = signal<FilterProblem | null>(null);

let asking = new AbortController();
let complaint: ReturnType<typeof setTimeout> | undefined;

export function FilterInput() {
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    text.value = question.value.filter;
    problem.value = null;
  });
  useSignalEffect(() => {
    if (filterProblem.value) problem.value = filterProblem.value;
  });
  const open = popup.value;
  const changed = text.value.trim() !== question.value.filter;

  function write(value: string) {
    batch(() => {
      text.value = value;
      problem.value = null;
    });
    void complete(value, input.current?.selectionStart ?? value.length);
  }

  function take(item: Completion) {
    if (open?.kind === "recent") {
      void apply(item.text);
      return;
    }
    const [value, cursor] = completed(text.value, input.current?.selectionStart ?? 0, item);
    text.value = value;
    popup.value = null;
    requestAnimationFrame(() => input.current?.setSelectionRange(cursor, cursor));
  }

  function onKeyDown(event: KeyboardEvent) {
    const item = open?.items[open.at];
    if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && item) take(item);
    else if (event.key === "Enter") void apply(text.value);
    else if (event.key === "Escape" && open) popup.value = null;
    else if (event.key === "Escape" && changed) write(question.value.filter);
    else if (event.key === "Escape") input.current?.blur();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (open) move(event.key === "ArrowDown" ? 1 : -1);
      else if (!text.value) showRecent();
      else if (event.key === "ArrowDown") void complete(text.value, text.value.length, 0);
    } else if (event.key === " " && event.ctrlKey) {
      void complete(text.value, input.current?.selectionStart ?? 0, 0);
    } else return;
    event.preventDefault();
  }

  return (
    <div class="filter">
      <label for="filter">Filter</label>
      <div class="written" data-wrong={problem.value !== null || undefined}>
        <div class="mirror" ref={mirror} aria-hidden="true">
          <Underlined text={text.value} problem={problem.value} />
        </div>
        <input
          id="filter"
          ref={input}
          type="text"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={open !== null}
          aria-controls="filter-choices"
          aria-activedescendant={open && open.at >= 0 ? `filter-choice-${open.at}` : undefined}
          aria-invalid={problem.value !== null}
          aria-describedby="filter-problem"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="http && status_code >= 400"
          value={text.value}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={() => {
            popup.value = null;
          }}
          onScroll={() => {
            if (mirror.current) mirror.current.scrollLeft = input.current?.scrollLeft ?? 0;
          }}
        />
        {text.value && (
          <button
            type="button"
            class="remove"
            aria-label="Remove the filter"
            title="Remove the filter"
            onClick={() => void apply("")}
          >
            <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
              <path d="M2 2l8 8m0-8l-8 8" stroke="currentColor" stroke-width="1.8" />
            </svg>
          </button>
        )}
        {open && <Choices popup={open} take={take} />}
      </div>
      <button type="button" class="button" onClick={showRecentOf(input)}>
        Recent
      </button>
      <button type="button" class="button primary" disabled={!changed} onClick={applyText}>
        Apply
      </button>
      <p id="filter-problem" class="problem" role="alert">
        {problem.value && says(problem.value)}
      </p>
    </div>
  );
}

const applyText = () => void apply(text.value);

function showRecentOf(input: { current: HTMLInputElement | null }) {
  return () => {
    input.current?.focus();
    showRecent();
  };
}

function says({ message, line, column }: FilterProblem): string {
  return `${line > 1 ? `Line ${line}, column` : "Column"} ${column}: ${message}`;
}

function Underlined({ text, problem }: { text: string; problem: FilterProblem | null }) {
  if (!problem) return <>{text}</>;
  const [from, to] = problemSpan(text, problem);
  return (
    <>
      {text.slice(0, from)}
      <mark>{text.slice(from, to) || " "}</mark>
      {text.slice(to)}
    </>
  );
}

function Choices({ popup, take }: { popup: Popup; take: (item: Completion) => void }) {
  const list = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    list.current?.children[popup.at]?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div
      class="choices"
      id="filter-choices"
      role="listbox"
      aria-label={popup.kind === "recent" ? "Recent filters" : "Completions"}
      ref={list}
    >
      {popup.items.map((item, index) => (
        <div
          role="option"
          id={`filter-choice-${index}`}
          aria-selected={index === popup.at}
          key={item.text}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(item)}
        >
          <code>{item.text}</code>
          {item.type && <i>{item.type}</i>}
          {item.doc && <span>{item.doc}</span>}
        </div>
      ))}
    </div>
  );
}

function move(by: number) {
  const now = popup.value;
  if (!now) return;
  const places = now.items.length + 1; // one of them is "none"
  popup.value = { ...now, at: ((now.at + 1 + by + places) % places) - 1 };
}

function showRecent() {
  const items = recentFilters().map((filter) => ({ text: filter, start: 0, type: "", doc: "" }));
  if (items.length) popup.value = { kind: "recent", items, at: 0 };
}

/** Ask for completions, once for several keys. */
async function complete(value: string, cursor: number, at = -1) {
  asking.abort();
  clearTimeout(complaint);
  asking = new AbortController();
  const { signal } = asking;
  await new Promise((done) => setTimeout(done, COMPLETE_AFTER_MS));
  if (signal.aborted) return;
  const answer = await askAbout(value, cursor, signal);
  if (!answer || signal.aborted) return;
  const items = value.trim() ? answer.completions : [];
  popup.value = items.length ? { kind: "completions", items, at } : null;
  complaint = setTimeout(() => {
    if (!signal.aborted && value.trim() && !popup.value) problem.value = answer.problem;
  }, COMPLAIN_AFTER_MS);
}

/** Show what matches; a filter that means nothing changes nothing but its own mark. */
async function apply(value: string) {
  asking.abort();
  clearTimeout(complaint);
  const filter = value.trim();
  popup.value = null;
  text.value = filter;
  problem.value = null;
  const answer = filter ? await askAbout(filter, filter.length) : null;
  if (answer?.problem) {
    problem.value = answer.problem;
    return;
  }
  remember(filter);
  ask({ filter });
}
