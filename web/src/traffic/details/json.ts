// JSON of strangers: read to a tree in which numbers stay as they were written. Pure.
// A text that was cut off is read as far as it goes.

export type Json =
  | { kind: "object"; members: [string, Json][]; cut: boolean }
  | { kind: "array"; items: Json[]; cut: boolean }
  | { kind: "string"; text: string }
  | { kind: "number" | "word"; text: string };

const MAX_DEPTH = 200;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

class Cut extends Error {}
class NotJson extends Error {}

/** The tree of a text; null if it is no JSON. */
export function readJson(text: string): Json | null {
  const reader = new Reader(text);
  try {
    const value = reader.value(0);
    return reader.atEnd() ? value : null;
  } catch (error) {
    if (error instanceof NotJson || error instanceof Cut) return null;
    throw error;
  }
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.match(SPACE);
    return this.at === this.text.length;
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new NotJson();
    this.match(SPACE);
    const next = this.text[this.at];
    if (next === undefined) throw new Cut();
    if (next === "{") return this.object(depth);
    if (next === "[") return this.array(depth);
    if (next === '"') return { kind: "string", text: this.string() };
    const number = this.match(NUMBER);
    if (number) return { kind: "number", text: number };
    const word = this.match(WORD);
    if (word) return { kind: "word", text: word };
    const rest = this.text.slice(this.at);
    throw ["-", "true", "false", "null"].some((each) => each.startsWith(rest))
      ? new Cut()
      : new NotJson();
  }

  private object(depth: number): Json {
    const members: [string, Json][] = [];
    const cut = this.items("}", () => {
      this.match(SPACE);
      const name = this.string();
      this.expect(":");
      members.push([name, this.value(depth + 1)]);
    });
    return { kind: "object", members, cut };
  }

  private array(depth: number): Json {
    const items: Json[] = [];
    const cut = this.items("]", () => items.push(this.value(depth + 1)));
    return { kind: "array", items, cut };
  }

  /** What stands between brackets; whether the text ends before the closing one. */
  private items(close: string, item: () => void): boolean {
    this.at++;
    this.match(SPACE);
    if (this.text[this.at] === close) {
      this.at++;
      return false;
    }
    try {
      for (;;) {
        item();
        if (this.expect(",", close) === close) return false;
      }
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.at = this.text.length;
      return true;
    }
  }

  private string(): string {
    if (this.at >= this.text.length) throw new Cut();
    const raw = this.match(STRING);
    if (raw === "") throw this.text[this.at] === '"' ? new Cut() : new NotJson();
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new NotJson();
    }
  }

  private expect(...chars: string[]): string {
    this.match(SPACE);
    const next = this.text[this.at];
    if (next === undefined) throw new Cut();
    if (!chars.includes(next)) throw new NotJson();
    this.at++;
    return next;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text)?.[0] ?? "";
    this.at += match.length;
    return match;
  }
}
