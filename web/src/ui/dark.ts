// Whether the system's setting is dark, for what is drawn rather than styled.
import { signal } from "@preact/signals";

const query = matchMedia("(prefers-color-scheme: dark)");

export const dark = signal(query.matches);

query.addEventListener("change", () => {
  dark.value = query.matches;
});
