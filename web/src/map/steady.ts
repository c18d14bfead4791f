// Makes a new layout look like the one before: what was there moves as little as it can.

/** Something with a place in a column: centre, and height. */
export interface Item {
  key: string;
  x: number;
  y: number;
  height: number;
}

type Places = ReadonlyMap<string, { x: number; y: number }>;

// How hard what is new holds on to its place, against 1 of what was there before.
const WEIGHT_OF_NEW = 0.05;

/**
 * The items with y as near as possible to the places before, in the order of before, at least
 * `gap` apart within their column; the whole is moved to where most of it was.
 */
export function steadied(items: readonly Item[], before: Places, gap: number): Item[] {
  const moved = shifted(items, before);
  const columns = new Map<number, Item[]>();
  for (const item of moved) {
    const column = Math.round(item.x);
    columns.set(column, [...(columns.get(column) ?? []), item]);
  }
  return [...columns.values()].flatMap((column) => settled(column, before, gap));
}

/** All moved by the same, so that most items that were there before are where they were. */
function shifted(items: readonly Item[], before: Places): Item[] {
  const known = items.flatMap((item) => {
    const place = before.get(item.key);
    return place ? [{ dx: place.x - item.x, dy: place.y - item.y }] : [];
  });
  const dx = median(known.map((each) => each.dx));
  const dy = median(known.map((each) => each.dy));
  return items.map((item) => ({ ...item, x: item.x + dx, y: item.y + dy }));
}

function settled(column: readonly Item[], before: Places, gap: number): Item[] {
  const stayed = (item: Item) => {
    const place = before.get(item.key);
    return place && Math.abs(place.x - item.x) < 1 ? place : undefined;
  };
  const inNewOrder = [...column].sort((a, b) => a.y - b.y);
  const inOldOrder = inNewOrder
    .filter((item) => stayed(item))
    .sort((a, b) => (stayed(a)?.y ?? 0) - (stayed(b)?.y ?? 0));
  let next = 0;
  const ordered = inNewOrder.map((item) => (stayed(item) ? (inOldOrder[next++] ?? item) : item));
  const wishes = ordered.map((item) => ({
    y: stayed(item)?.y ?? item.y,
    weight: stayed(item) ? 1 : WEIGHT_OF_NEW,
    height: item.height,
  }));
  const ys = apart(wishes, gap);
  return ordered.map((item, at) => ({ ...item, y: ys[at] ?? item.y }));
}

/**
 * Places in the given order, at least `gap` between one's end and the next one's beginning, that
 * are nearest to the wished ones by the weighted sum of squares (pool adjacent violators).
 */
export function apart(
  wishes: readonly { y: number; weight: number; height: number }[],
  gap: number,
): number[] {
  // Without the room that those before need, the order is all that is asked: isotonic regression.
  const offsets: number[] = [];
  let offset = 0;
  wishes.forEach(({ height }, at) => {
    const previous = wishes[at - 1];
    if (previous) offset += previous.height / 2 + gap + height / 2;
    offsets.push(offset);
  });
  const pools: { mean: number; weight: number; count: number }[] = [];
  wishes.forEach(({ y, weight }, at) => {
    let pool = { mean: y - (offsets[at] ?? 0), weight, count: 1 };
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      const sum = last.weight + pool.weight;
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / sum,
        weight: sum,
        count: last.count + pool.count,
      };
      pools.pop();
    }
    pools.push(pool);
  });
  const means = pools.flatMap(({ mean, count }) => Array<number>(count).fill(mean));
  return means.map((mean, at) => mean + (offsets[at] ?? 0));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
