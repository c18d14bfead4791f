// What the server says of a filter that is being written.
import type { Completions } from "../../messages";
import { toCharacters } from "./places";

/** Completions at the cursor (UTF-16 offset), and what is wrong. Null if nobody answered. */
export async function askAbout(
  text: string,
  cursor: number,
  signal?: AbortSignal,
): Promise<Completions | null> {
  const query = new URLSearchParams({ text, cursor: String(toCharacters(text, cursor)) });
  try {
    const response = await fetch(`/api/v1/filter/completions?${query}`, signal ? { signal } : {});
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()) as Completions;
  } catch (error) {
    if (!signal?.aborted) console.warn("no completions:", error);
    return null;
  }
}
