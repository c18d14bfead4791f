// Pausing, resuming, and going to the newest rows.
import { batch } from "@preact/signals";
import { askAgain } from "./question";
import { following, paused, release } from "./rows";

export function togglePause(): void {
  if (paused.value) toNewest();
  else paused.value = true;
}

/** Show everything that came, and follow what comes. */
export function toNewest(): void {
  batch(() => {
    paused.value = false;
    following.value = true;
    if (!release()) askAgain();
  });
}
