// The parts of a request's time. Pure.
import type { Timing } from "../../messages";

export interface Part {
  name: "connect" | "wait" | "transfer";
  title: string;
  us: number;
  /** Where it begins and how long it is, of the whole (0..1). */
  from: number;
  share: number;
}

const TITLES = {
  connect: "Connecting",
  wait: "Waiting for the answer",
  transfer: "Receiving the answer",
} as const;

export function parts(timing: Timing): Part[] {
  const known = (["connect", "wait", "transfer"] as const).flatMap((name) => {
    const us = timing[name];
    return us === null ? [] : [{ name, title: TITLES[name], us }];
  });
  const whole = known.reduce((sum, { us }) => sum + us, 0);
  let before = 0;
  return known.map((part) => {
    const from = whole ? before / whole : 0;
    before += part.us;
    return { ...part, from, share: whole ? part.us / whole : 1 / known.length };
  });
}
