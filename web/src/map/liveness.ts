// Which edges have traffic right now. The numbers are of minutes: they rise where something comes.

const LIVE_FOR_MS = 10_000;

export interface Seen {
  requests: number;
  roseAt: number;
}

/** What is known after new numbers; `roseAt` is -Infinity for those that never rose. */
export function observed(
  before: ReadonlyMap<string, Seen>,
  requests: ReadonlyMap<string, number>,
  now: number,
): Map<string, Seen> {
  const known = before.size > 0;
  const after = new Map<string, Seen>();
  for (const [key, count] of requests) {
    const seen = before.get(key);
    const rose = seen ? count > seen.requests : known;
    after.set(key, { requests: count, roseAt: rose ? now : (seen?.roseAt ?? -Infinity) });
  }
  return after;
}

export function isLive(seen: Seen | undefined, now: number): boolean {
  return seen !== undefined && now - seen.roseAt < LIVE_FOR_MS;
}
