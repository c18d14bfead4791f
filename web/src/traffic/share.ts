// A link that shows somebody else the same view, later too.
import { href } from "../route";
import { moment } from "./moments";
import type { Question } from "./question";

export function link({ filter, since, until, probes }: Question, entry: string, nowMs: number) {
  const query = { filter, since: moment(since, nowMs), until, probes: probes ? "yes" : "", entry };
  return location.origin + href("traffic", query);
}
