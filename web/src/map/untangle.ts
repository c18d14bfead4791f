// The order of what is in each column, so that few lines cross. dagre's own order leaves crossings
// that a few rounds more take away: towards the middle of the neighbours, then pair by pair.

/** Lines from things in one column to things in the next. */
export type Links = readonly (readonly [string, string])[];

const SWEEPS = 12;
const ROUNDS = 10;

/** The columns with their things in a better order, or as they were. */
export function untangled(columns: readonly (readonly string[])[], links: Links): string[][] {
  const neighbours = { before: new Map<string, string[]>(), behind: new Map<string, string[]>() };
  for (const [from, to] of links) {
    neighbours.behind.set(from, [...(neighbours.behind.get(from) ?? []), to]);
    neighbours.before.set(to, [...(neighbours.before.get(to) ?? []), from]);
  }
  let best = columns.map((column) => [...column]);
  let fewest = crossings(best, links);
  let current = best;
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    current =
      sweep % 2 ? swept(current, neighbours.behind, -1) : swept(current, neighbours.before, 1);
    const count = crossings(current, links);
    if (count < fewest) [best, fewest] = [current, count];
  }
  return fewest > 0 ? swapped(best, neighbours.before, neighbours.behind) : best;
}

/** How many pairs of lines cross. */
export function crossings(columns: readonly (readonly string[])[], links: Links): number {
  const column = new Map(columns.flatMap((ids, at) => ids.map((id) => [id, at] as const)));
  const place = placesIn(columns);
  const byColumn = columns.map(() => [] as (readonly [number, number])[]);
  for (const [from, to] of links)
    byColumn[column.get(from) ?? 0]?.push([place.get(from) ?? 0, place.get(to) ?? 0]);
  let count = 0;
  for (const pairs of byColumn)
    pairs.forEach(([a, b], at) => {
      for (let other = 0; other < at; other++) {
        const [c, d] = pairs[other] ?? [a, b];
        if ((a - c) * (b - d) < 0) count++;
      }
    });
  return count;
}

/** One column after the other, each by where its neighbours in the one before it are. */
function swept(
  columns: readonly (readonly string[])[],
  neighbours: ReadonlyMap<string, readonly string[]>,
  direction: 1 | -1,
): string[][] {
  const result = columns.map((column) => [...column]);
  const first = direction === 1 ? 1 : columns.length - 2;
  for (let at = first; result[at] && result[at - direction]; at += direction) {
    const place = placesIn([result[at - direction] ?? []]);
    const wish = new Map(
      result[at]?.map((id, own) => [
        id,
        mean(
          (neighbours.get(id) ?? []).map((each) => place.get(each) ?? 0),
          own,
        ),
      ]),
    );
    result[at]?.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
  }
  return result;
}

/** Swaps what stands next to each other, as long as that helps. */
function swapped(
  columns: readonly (readonly string[])[],
  before: ReadonlyMap<string, readonly string[]>,
  behind: ReadonlyMap<string, readonly string[]>,
): string[][] {
  const result = columns.map((column) => [...column]);
  const place = placesIn(result);
  const places = (of: ReadonlyMap<string, readonly string[]>, id: string) =>
    (of.get(id) ?? []).map((each) => place.get(each) ?? 0);
  const gain = (upper: string, lower: string) =>
    [before, behind].reduce((sum, side) => {
      const [u, l] = [places(side, upper), places(side, lower)];
      return sum + inverted(u, l) - inverted(l, u);
    }, 0);
  for (let round = 0, helped = true; round < ROUNDS && helped; round++) {
    helped = false;
    for (const column of result)
      for (let at = 1; at < column.length; at++) {
        const [upper, lower] = [column[at - 1] ?? "", column[at] ?? ""];
        if (gain(upper, lower) <= 0) continue;
        [column[at - 1], column[at]] = [lower, upper];
        place.set(lower, at - 1).set(upper, at);
        helped = true;
      }
  }
  return result;
}

/** Crossings of lines to `upper` places with lines to `lower` ones. */
function inverted(upper: readonly number[], lower: readonly number[]): number {
  return upper.reduce((sum, u) => sum + lower.filter((l) => l < u).length, 0);
}

function placesIn(columns: readonly (readonly string[])[]): Map<string, number> {
  return new Map(columns.flatMap((column) => column.map((id, at) => [id, at] as const)));
}

function mean(values: readonly number[], otherwise: number): number {
  if (values.length === 0) return otherwise;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
