// The WebSocket to `pilotfish proxy`: what it says as signals, and what the page asks of it.
// A connection that is lost is made again, with pauses that double; what was asked is asked again.
import { signal } from "@preact/signals";
import type {
  ClientMessage,
  FilterProblem,
  Follow,
  Hello,
  MapView,
  Rows,
  ServerMessage,
  ServicesView,
  Status,
  Watch,
} from "./messages";

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/** lost: `pilotfish proxy` does not answer; denied: it does not know this browser. */
export type Link = "connecting" | "open" | "lost" | "denied";

export const link = signal<Link>("connecting");
/** When the next attempt is made (ms since 1970); null while none is due. */
export const retryAt = signal<number | null>(null);
export const hello = signal<Hello | null>(null);
export const status = signal<Status | null>(null);
export const services = signal<ServicesView | null>(null);
export const map = signal<MapView | null>(null);
export const filterProblem = signal<FilterProblem | null>(null);

type RowsListener = (message: Rows) => void;
/** again: the same question, after the connection was lost. */
type BeginListener = (again: boolean) => void;

let socket: WebSocket | null = null;
let pauseMs = FIRST_PAUSE_MS;
let watching: Watch | null = null;
let following: Follow = { type: "follow", services: false, map: false, window_s: 300 };
let rowsListener: RowsListener = () => {};
let beginListener: BeginListener = () => {};

/** Who hears of rows, and of the beginning of each watch: its rows come instead of those before. */
export function onRows(rows: RowsListener, begin: BeginListener): void {
  rowsListener = rows;
  beginListener = begin;
}

/** Ask for traffic instead of what was asked for before. */
export function watch(question: Omit<Watch, "type" | "watch">): void {
  watching = { type: "watch", watch: (watching?.watch ?? 0) + 1, ...question };
  filterProblem.value = null;
  beginListener(false);
  send(watching);
}

/** Ask for the views that a page shows. */
export function followViews(views: Omit<Follow, "type">): void {
  following = { type: "follow", ...views };
  send(following);
}

/** Connect, and stay connected. */
export function connect(): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
  socket.onopen = opened;
  socket.onmessage = (event) => hear(JSON.parse(event.data as string) as ServerMessage);
  socket.onclose = closed;
}

function opened(): void {
  pauseMs = FIRST_PAUSE_MS;
  link.value = "open";
  retryAt.value = null;
  if (watching) {
    beginListener(true);
    send(watching);
  }
  send(following);
}

async function closed(): Promise<void> {
  socket = null;
  if (await isDenied()) {
    link.value = "denied";
    return;
  }
  link.value = "lost";
  retryAt.value = Date.now() + pauseMs;
  setTimeout(connect, pauseMs);
  pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
}

/** Browsers do not say why a WebSocket was refused; a plain request does. */
async function isDenied(): Promise<boolean> {
  try {
    const response = await fetch("/api/v1/session");
    return response.status === 401 || response.status === 403;
  } catch {
    return false;
  }
}

function send(message: ClientMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function hear(message: ServerMessage): void {
  switch (message.type) {
    case "rows":
      if (message.watch === watching?.watch) {
        rowsListener(message);
      }
      break;
    case "filter_problem":
      if (message.watch === watching?.watch) filterProblem.value = message;
      break;
    case "hello":
      hello.value = message;
      break;
    case "status":
      status.value = message;
      break;
    case "services":
      services.value = message;
      break;
    case "map":
      map.value = message;
      break;
  }
}
