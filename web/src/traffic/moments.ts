// Moments and spans, as the address has them. Pure.

const UNITS_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of "90s", "5m", "1h"; null for anything else. */
export function spanMs(text: string): number | null {
  const match = /^(\d+)([smh])$/.exec(text);
  const unit = UNITS_MS[match?.[2] ?? ""];
  return match && unit ? Number(match[1]) * unit : null;
}

/** The beginning of a range as a moment: "5m" means another one each time it is read. */
export function moment(since: string, nowMs: number): string {
  const span = spanMs(since);
  return span === null ? since : new Date(nowMs - span).toISOString();
}
