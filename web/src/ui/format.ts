// Numbers as people read them: counts, rates, shares and durations, in few characters.

const NARROW_SPACE = "\u202f";

/** 1234567 → `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** Requests per second: `0/s`, `<0.1/s`, `2.4/s`, `180/s`, `12k/s`. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.1) return "<0.1/s";
  return `${short(perSecond)}/s`;
}

/** A part of a whole, 0..1: `0 %`, `0.3 %`, `33.3 %`, `100 %`. What is not all is never `100 %`. */
export function share(part: number): string {
  const percent = part * 100;
  if (percent > 0 && percent < 0.1) return `<0.1${NARROW_SPACE}%`;
  if (percent < 100 && percent > 99.9) return `>99.9${NARROW_SPACE}%`;
  return `${trimmed(percent, 1)}${NARROW_SPACE}%`;
}

/** Microseconds; null is not known: `85 µs`, `1.2 ms`, `340 ms`, `2.5 s`, `–`. */
export function duration(microseconds: number | null): string {
  if (microseconds === null) return "–";
  if (microseconds < 1_000) return `${Math.round(microseconds)}${NARROW_SPACE}µs`;
  if (microseconds < 1_000_000) return `${short(microseconds / 1_000)}${NARROW_SPACE}ms`;
  return `${short(microseconds / 1_000_000)}${NARROW_SPACE}s`;
}

/** `1 Pod`, `3 Pods`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Milliseconds since 1970 as the clock here shows them: `14:05:30`. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString("en-GB");
}

function short(value: number): string {
  if (value >= 9_995) return `${trimmed(value / 1_000, value < 99_950 ? 1 : 0)}k`;
  return trimmed(value, value < 9.95 ? 1 : 0);
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, "");
}
