// Shares of endpoints over time, and which line in the picture is whose.
import type { EndpointView } from "../messages";

/** What an endpoint is called among those of its Service; an address may come to another Pod. */
export function endpointKey(endpoint: EndpointView): string {
  return `${endpoint.ip} ${endpoint.namespace}/${endpoint.name}`;
}

/**
 * Each endpoint's part (0..1) of the requests in the last `width` buckets, bucket by bucket;
 * null where nobody got any. series: requests by endpoint and bucket.
 */
export function movingShares(
  series: readonly (readonly number[])[],
  width: number,
): (number | null)[][] {
  const sums = series.map((own) => movingSums(own, width));
  const totals = together(sums);
  return sums.map((own) => own.map((sum, at) => (totals[at] ? sum / (totals[at] ?? 1) : null)));
}

/** Each bucket's sum over itself and the `width` - 1 before it. */
export function movingSums(series: readonly number[], width: number): number[] {
  let sum = 0;
  return series.map((value, at) => {
    sum += value - (at >= width ? (series[at - width] ?? 0) : 0);
    return sum;
  });
}

/** Each series on top of those before it, for a picture of layers. */
export function stacked(series: readonly (readonly number[])[]): number[][] {
  let below: number[] = [];
  return series.map((own) => {
    below = own.map((value, at) => value + (below[at] ?? 0));
    return below;
  });
}

/** Gives each key a number and leaves it that number while it stays; new ones get the lowest. */
export function numbered(before: ReadonlyMap<string, number>, keys: readonly string[]) {
  const numbers = new Map<string, number>();
  for (const key of keys) {
    const number = before.get(key);
    if (number !== undefined) numbers.set(key, number);
  }
  const taken = new Set(numbers.values());
  let next = 0;
  for (const key of keys) {
    if (numbers.has(key)) continue;
    while (taken.has(next)) next++;
    taken.add(next);
    numbers.set(key, next);
  }
  return numbers;
}

/** Bucket by bucket, the sum of all. */
export function together(series: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...series.map((own) => own.length));
  return Array.from({ length }, (_, at) => series.reduce((sum, own) => sum + (own[at] ?? 0), 0));
}
