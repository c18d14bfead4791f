// How wide a text is on the screen, in the font of the page.

const FAMILY = 'system-ui, "DejaVu Sans", sans-serif';
const canvas = document.createElement("canvas").getContext("2d");
const known = new Map<string, number>();
const MAX_KNOWN = 10_000;

/** In pixels, at a size in pixels. */
export function textWidth(text: string, size: number, weight: number): number {
  const key = `${weight} ${size} ${text}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  if (!canvas) return text.length * size * 0.6;
  canvas.font = `${weight} ${size}px ${FAMILY}`;
  const { width } = canvas.measureText(text);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, width);
  return width;
}
