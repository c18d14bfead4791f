// The fields of a request or response that are shown as they are. Pure.
import type { EntryMessage } from "../../messages";

/** Shown in ways of their own, or said elsewhere. */
const ELSEWHERE = new Set([
  "headers",
  "trailers",
  "body",
  "body_hex",
  "query",
  "decoded",
  "answers",
  "authority",
  "additional",
  "hex",
  "text",
  "size",
  "messages",
]);

/** Name and text of each; empty ones are left out. */
export function plainFields(entry: EntryMessage, side: "request" | "response"): [string, string][] {
  const said: [string, string][] = [];
  for (const [name, value] of Object.entries(entry[side] ?? {})) {
    const elsewhere = ELSEWHERE.has(name) && !(name === "query" && typeof value === "string");
    if (elsewhere || value === null || value === "" || isRepeated(name, entry[side] ?? {}))
      continue;
    const text = inWords(value);
    if (text) said.push([name, text]);
  }
  return said;
}

/** Whether another field says the same. */
function isRepeated(name: string, message: Record<string, unknown>): boolean {
  if (name === "path") return message.path === message.url;
  return name === "body_size" && (message.body_size === 0 || Boolean(message.body));
}

function inWords(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) {
    return value.join(", ");
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}
