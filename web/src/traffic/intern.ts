// Equal texts are kept once: a hundred thousand rows are mostly the same few names.
import type { Peer, Row } from "../messages";

/** Forget all texts beyond this number, and learn them again: memory stays bounded. */
const MAX_TEXTS = 20_000;

export class Interner {
  private readonly texts = new Map<string, string>();

  /** The same row, of shared texts. */
  row(row: Row): Row {
    row.protocol = this.text(row.protocol);
    row.node = this.text(row.node);
    row.method = this.text(row.method);
    row.path = this.text(row.path);
    row.summary = this.text(row.summary);
    row.status = this.text(row.status);
    row.failure = this.text(row.failure);
    this.peer(row.src);
    this.peer(row.dst);
    if (row.endpoint) this.peer(row.endpoint);
    return row;
  }

  private peer(peer: Peer): void {
    peer.name = this.text(peer.name);
    peer.namespace = this.text(peer.namespace);
    peer.ip = this.text(peer.ip);
  }

  private text(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size >= MAX_TEXTS) this.texts.clear();
    this.texts.set(text, text);
    return text;
  }
}
