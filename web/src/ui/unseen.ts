// Show every character of strangers' text: write out controls, characters that turn lines around
// (Unicode UAX #9), and those without width. The terminal does the same: pilotfish/client/visible.py.
import { options, type VNode } from "preact";

const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** The text with what nobody would see written out: `\x1b`, `\u202e`. */
export function seen(text: string): string {
  return text.search(UNSEEN) < 0 ? text : text.replace(UNSEEN, written);
}

function written(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code > 0xffff) return `\\u{${hex}}`;
  return code > 0xff ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
}

/** From now on, whatever is put into the page is text of this kind; what is copied stays as it is. */
export function showUnseen(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    if (typeof vnode.type === "string") clean(vnode);
    before?.(vnode);
  };
}

function clean(vnode: VNode): void {
  const props = vnode.props as Record<string, unknown>;
  for (const name of ["title", "aria-label"]) {
    const text = props[name];
    if (typeof text === "string") props[name] = seen(text);
  }
  const { children } = vnode.props;
  if (typeof children === "string") vnode.props.children = seen(children);
  else if (Array.isArray(children))
    vnode.props.children = children.map((child) =>
      typeof child === "string" ? seen(child) : child,
    );
}
