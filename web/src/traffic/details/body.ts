// What a body is, told by its headers and its content. Pure; bodies come from strangers.
import { type Json, readJson } from "./json";

export type Body =
  | { kind: "none" }
  | { kind: "json"; tree: Json }
  | { kind: "form"; fields: FormField[] }
  | { kind: "binary"; bytes: Uint8Array }
  | { kind: "text"; text: string };

export interface FormField {
  name: string;
  value: string;
  /** Of a part of a multipart form: file name and type. */
  about: string;
}

/** The fields of a request or response, as the entry has them. */
export type Message = Record<string, unknown>;

export function bodyOf(message: Message): Body {
  const text = typeof message.body === "string" ? message.body : "";
  if (!text) return { kind: "none" };
  if (typeof message.body_hex === "string") {
    return { kind: "binary", bytes: fromHex(message.body_hex) };
  }
  const type = header(message, "content-type");
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return { kind: "form", fields: urlencoded(text) };
  }
  const parts = type.startsWith("multipart/") ? multipart(text, type) : null;
  if (parts) return { kind: "form", fields: parts };
  const tree = /json/.test(type) || /^\s*[[{]/.test(text) ? readJson(text) : null;
  return tree ? { kind: "json", tree } : { kind: "text", text };
}

export function header(message: Message, name: string): string {
  const headers = message.headers as Record<string, string> | undefined;
  return headers?.[name] ?? "";
}

export function urlencoded(text: string): FormField[] {
  return [...new URLSearchParams(text)].map(([name, value]) => ({ name, value, about: "" }));
}

/** The parts of a multipart body (RFC 2046, 5.1); null without a boundary. */
export function multipart(text: string, type: string): FormField[] | null {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark) return null;
  const parts = `\r\n${text}`.split(`\r\n--${mark}`).slice(1);
  return parts.filter((part) => !part.startsWith("--")).map(formPart);
}

function formPart(part: string): FormField {
  const end = part.indexOf("\r\n\r\n");
  const head = end < 0 ? part : part.slice(0, end);
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? "";
  const type = /^content-type:\s*(.*)$/im.exec(head)?.[1]?.trim() ?? "";
  const file = /filename="([^"]*)"/i.exec(disposition)?.[1] ?? "";
  return {
    name: /[; ]name="([^"]*)"/i.exec(disposition)?.[1] ?? "",
    value: end < 0 ? "" : part.slice(end + 4),
    about: [file && `file ${file}`, type].filter(Boolean).join(", "),
  };
}

export function fromHex(hex: string): Uint8Array {
  const pairs = hex.match(/[0-9a-f]{2}/gi) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/** Lines as hex editors show them: offset, bytes, and what of them is text. */
export function hexLines(bytes: Uint8Array, perLine = 16): [string, string, string][] {
  const lines: [string, string, string][] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const line = [...bytes.slice(at, at + perLine)];
    lines.push([
      at.toString(16).padStart(4, "0"),
      line.map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
      line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join(""),
    ]);
  }
  return lines;
}
