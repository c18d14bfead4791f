// The filters that were applied last, kept by the browser.
const KEY = "pilotfish.filters";
const MAX_RECENT = 20;

/** The newest first. A browser that keeps nothing has none. */
export function recentFilters(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch (error) {
    console.warn("recent filters cannot be read:", error);
    return [];
  }
}

export function remember(filter: string): void {
  if (!filter) return;
  try {
    localStorage.setItem(KEY, JSON.stringify(withNewest(recentFilters(), filter)));
  } catch (error) {
    console.warn("recent filters cannot be kept:", error);
  }
}

export function withNewest(filters: string[], newest: string): string[] {
  return [newest, ...filters.filter((each) => each !== newest)].slice(0, MAX_RECENT);
}
