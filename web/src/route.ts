// Which page is shown, and with which parameters: the address bar, so that a link opens the same.
import { computed, signal } from "@preact/signals";

export const PAGES = ["traffic", "services", "map"] as const;
export type Page = (typeof PAGES)[number];

const address = signal(location.pathname + location.search);

addEventListener("popstate", () => {
  address.value = location.pathname + location.search;
});

/** The page of the address; what is unknown is the traffic. */
export const page = computed<Page>(() => {
  const name = new URL(address.value, location.origin).pathname.slice(1);
  return PAGES.find((known) => known === name) ?? "traffic";
});

/** Its parameters, such as `filter`. */
export const parameters = computed(() => new URL(address.value, location.origin).searchParams);

/** The address of a page; empty parameters are left out. */
export function href(to: Page, query: Record<string, string> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(filled).toString();
  return `/${to}${text && `?${text}`}`;
}

/** Show a page. replace: without a step in the browser's history. */
export function go(to: Page, query: Record<string, string> = {}, replace = false): void {
  const target = href(to, query);
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  address.value = target;
}

/** Change some parameters of the page that is shown; "" removes one. */
export function change(query: Record<string, string>, replace = false): void {
  go(page.value, { ...Object.fromEntries(parameters.value), ...query }, replace);
}

/** Follow a link inside the page; with a modifier key the browser does what it always does. */
export function follow(event: MouseEvent): void {
  const anchor = (event.target as Element).closest("a[href]");
  if (!anchor || anchor.hasAttribute("download")) return;
  // By the attribute: links in SVG (the map's) have no `origin`.
  const url = new URL(anchor.getAttribute("href") ?? "", location.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", url);
  address.value = url.pathname + url.search;
}
