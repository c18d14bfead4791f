// Filters (CEL) made of values that somebody clicked. Pure; values come from strangers.
import type { EntryPeer, Peer, Row } from "../../messages";

const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A CEL string literal of any text. Half a surrogate pair is no character: U+FFFD instead. */
export function quote(text: string): string {
  const escaped = [...text].map((char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === "\\") return `\\${char}`;
    if (ESCAPES[char]) return ESCAPES[char];
    if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
    const unseen =
      code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029;
    return unseen ? `\\u${code.toString(16).padStart(4, "0")}` : char;
  });
  return `"${escaped.join("")}"`;
}

/** Both conditions. A term that stands there already is not added again. */
export function and(filter: string, term: string): string {
  const terms = conjuncts(filter);
  if (terms.length === 0) return term;
  if (terms.includes(term)) return terms.join(" && ");
  const safe = terms.length === 1 ? terms.map(bracketed) : terms;
  return [...safe, bracketed(term)].join(" && ");
}

/** The opposite of a term that this file made. */
export function not(term: string): string {
  const parts = conjuncts(term);
  const comparison = /^([\w.]+) == (".*"|-?\d+)$/s.exec(parts[0] ?? "");
  if (parts.length === 1 && comparison) return `${comparison[1]} != ${comparison[2]}`;
  return `!(${term})`;
}

/** Top-level parts between &&, in a filter without a top-level || or ?: (else the whole). */
export function conjuncts(filter: string): string[] {
  const text = withoutComments(filter).trim();
  if (!text) return [];
  const marks = topLevel(text);
  if (marks.some((mark) => mark.operator !== "&&")) return [text];
  const parts: string[] = [];
  let begin = 0;
  for (const mark of marks) {
    parts.push(text.slice(begin, mark.at).trim());
    begin = mark.at + 2;
  }
  return [...parts, text.slice(begin).trim()];
}

function bracketed(term: string): string {
  return topLevel(term).some((mark) => mark.operator !== "&&") ? `(${term})` : term;
}

const STRING = /(?:[bB]?[rR]|[rR][bB])("""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')/y;
const ESCAPED =
  /"""(?:\\[\s\S]|[\s\S])*?"""|'''(?:\\[\s\S]|[\s\S])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y;

/** Where a string literal that begins here ends; the same place if none does. */
function behindString(text: string, at: number): number {
  for (const pattern of [STRING, ESCAPED]) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return at + match[0].length;
  }
  return at;
}

function topLevel(text: string): { at: number; operator: string }[] {
  const found: { at: number; operator: string }[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const behind = behindString(text, at);
    if (behind > at) {
      at = behind - 1;
      continue;
    }
    const char = text[at] ?? "";
    const pair = text.slice(at, at + 2);
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    else if (depth === 0 && (pair === "&&" || pair === "||")) {
      found.push({ at, operator: pair });
      at++;
    } else if (depth === 0 && char === "?") found.push({ at, operator: "?" });
  }
  return found;
}

/** The same on one line, without // comments: behind one, nothing could be added. */
function withoutComments(text: string): string {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    const behind = behindString(text, at);
    if (behind > at) {
      result += text.slice(at, behind);
      at = behind - 1;
    } else if (text.startsWith("//", at)) {
      const newline = text.indexOf("\n", at);
      at = newline < 0 ? text.length : newline - 1;
    } else result += text[at] === "\n" ? " " : text[at];
  }
  return result;
}

/** A condition that somebody may add, and what it is about. */
export interface Choice {
  label: string;
  term: string;
}

type AnyPeer = EntryPeer | Peer;

/** What a client (`src`) or chosen endpoint (`endpoint`) is told by. */
export function peerTerm(side: "src" | "endpoint", peer: AnyPeer): string {
  if (peer.kind === "pod") return `${side}.pod.name == ${quote(peer.name)}`;
  if (peer.kind === "host") return `${side}.kind == "host"`;
  if (peer.kind === "node") return `${side}.node.name == ${quote(peer.name)}`;
  return `${side}.ip == ${quote(peer.ip)}`;
}

/** What was asked for is told by. */
export function targetTerm(peer: AnyPeer): string {
  if (peer.kind === "service") {
    const space = "namespace" in peer ? peer.namespace : (peer.service?.namespace ?? "");
    const name = `dst.service.name == ${quote(peer.name)}`;
    return space ? `${name} && dst.service.namespace == ${quote(space)}` : name;
  }
  if (peer.kind === "pod") return `dst.pod.name == ${quote(peer.name)}`;
  if (peer.kind === "node") return `dst.node.name == ${quote(peer.name)}`;
  return `dst.ip == ${quote(peer.ip)}`;
}

export function equals(variable: string, value: string | number): string {
  return `${variable} == ${typeof value === "number" ? value : quote(value)}`;
}

/** A header; where there is none, the condition is false rather than without a value. */
export function headerTerm(side: "request" | "response", name: string, value: string): string {
  return `map_get(${side}.headers, ${quote(name)}, "") == ${quote(value)}`;
}

export type Cell = "src" | "dst" | "endpoint" | "protocol" | "request" | "status";

/** The conditions that a cell of a row offers. */
export function cellChoices(row: Row, cell: Cell): Choice[] {
  switch (cell) {
    case "src":
      return [{ label: "Client", term: peerTerm("src", row.src) }];
    case "dst":
      return [
        { label: row.dst.kind === "service" ? "Service" : "Target", term: targetTerm(row.dst) },
      ];
    case "endpoint":
      return row.endpoint ? [{ label: "Endpoint", term: peerTerm("endpoint", row.endpoint) }] : [];
    case "protocol":
      return [{ label: "Protocol", term: equals("protocol", row.protocol) }];
    case "request":
      return [
        ...(row.path ? [{ label: "Path", term: equals("path", row.path) }] : []),
        ...(row.method ? [{ label: "Method", term: equals("method", row.method) }] : []),
      ];
    case "status":
      if (row.failure) return [{ label: "Failure", term: equals("failure", row.failure) }];
      return row.status ? [{ label: "Status", term: equals("status", row.status) }] : [];
  }
}

const CELLS: Cell[] = ["src", "dst", "endpoint", "protocol", "request", "status"];

/** All that a row offers. */
export function rowChoices(row: Row): Choice[] {
  return CELLS.flatMap((cell) => cellChoices(row, cell));
}
