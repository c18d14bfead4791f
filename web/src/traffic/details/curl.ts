// A request as a curl command. Pure; its parts come from strangers, and go into a shell.
import type { EntryMessage } from "../../messages";
import { address } from "../format";
import { header, type Message } from "./body";

/** What curl says by itself, and what belongs to the connection it was on. */
const LEFT_OUT = new Set(["host", "content-length", "connection", "transfer-encoding", "te"]);

/** The command; null for what curl does not speak, or a body that is no text. */
export function curl(entry: EntryMessage): string | null {
  const { request } = entry;
  if (entry.protocol !== "http" || !request) return null;
  if (typeof request.body_hex === "string") return null;
  const method = String(request.method ?? "GET");
  const body = String(request.body ?? "");
  const parts = ["curl"];
  if (method === "HEAD") parts.push("-I");
  else if (method !== (body ? "POST" : "GET")) parts.push("-X", quoted(method));
  parts.push(quoted(url(entry, request)));
  for (const [name, value] of Object.entries((request.headers ?? {}) as Record<string, string>)) {
    if (!LEFT_OUT.has(name) && !name.startsWith(":")) parts.push("-H", quoted(`${name}: ${value}`));
  }
  if (body) parts.push("--data-raw", quoted(body));
  return parts.join(" ");
}

function url(entry: EntryMessage, request: Message): string {
  const target = String(request.url ?? "/");
  if (/^https?:\/\//i.test(target)) return target;
  return `http://${header(request, "host") || address(entry.dst)}${target}`;
}

/** A word for a POSIX shell: nothing in single quotes means anything. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
