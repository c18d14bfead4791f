// Where the parts of a path's picture are, in pixels. Pure: a path and a width in, shapes out.
import type { Path, Peer, Station } from "./path";
import type { Label, Line, Picture, Point, Role } from "./shapes";

const EDGE = 10;
const BOX = 46;
const SMALL = 24;
const BETWEEN_SMALL = 5;
const GAP = 66;
/** Where everything is said on one way. */
const WIDER_GAP = 88;
const HEAD = 18;
const LANE = 26;
/** Widths of a character of the small monospaced and of the usual font. */
const MONO = 6.7;
const SANS = 7.1;
/** From this width on, things are put beside each other. */
const WIDE = 520;
const MAX_PEERS = 6;

/** Text in so much room, in characters of a width. */
export function fitted(text: string, room: number, character: number): string {
  const most = Math.max(1, Math.floor(room / character));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Draws from the top to the bottom; each part says how far it came. */
class Drawing {
  readonly picture: Picture;
  readonly wide: boolean;
  readonly inner: number;
  /** Width of what has something beside it. */
  readonly left: number;
  y = EDGE;
  /** Where the last station ends. */
  bottom = EDGE;

  constructor(
    readonly path: Path,
    width: number,
  ) {
    this.picture = { width, height: 0, boxes: [], lines: [], labels: [], nodes: [], breaks: [] };
    this.wide = width >= WIDE;
    this.inner = width - 2 * EDGE - 12;
    this.left = Math.floor(this.inner * 0.58);
  }

  get x(): number {
    return EDGE + 6;
  }

  box(role: Role, place: { x: number; y: number; width: number; height: number }, what: string[]) {
    const [title = "", text = "", full = `${title} ${text}`] = what;
    const room = place.width - 22;
    this.picture.boxes.push({
      role,
      ...place,
      title: fitted(title, room, place.height < BOX ? MONO : SANS),
      text: fitted(text, room, MONO),
      full,
    });
  }

  station(role: Role, { called, about, address }: Station, width: number) {
    const title = called.charAt(0).toUpperCase() + called.slice(1);
    const text = [address, about].filter(Boolean).join(" · ");
    const place = { x: this.x, y: this.y, width, height: BOX };
    this.box(role, place, [title, text, `${title}, ${about}, ${address}`]);
    this.y += BOX;
    this.bottom = this.y;
  }

  label(role: Label["role"], x: number, y: number, anchor: Label["anchor"], text: string) {
    if (text) this.picture.labels.push({ role, x, y, anchor, text });
  }

  line(role: Line["role"], from: Point, to: Point, arrow = true) {
    this.picture.lines.push({ role, from, to, arrow });
  }
}

export function draw(path: Path, width: number): Picture {
  const drawing = new Drawing(path, width);
  const inside = path.client.kind === "pod" || path.client.kind === "node";
  let top = drawing.y;
  if (inside) drawing.y += HEAD;
  client(drawing);
  if (!inside) {
    drawing.y += 12;
    top = drawing.y;
    drawing.y += HEAD - 10;
  }
  const { from, to } = path.nodes;
  const outside = path.endpoint?.kind === "external" || path.endpoint?.kind === "host";
  const crosses = path.endpoint !== null && (outside || (from !== to && to !== ""));
  if (path.service) service(drawing);
  else gap(drawing, path.endpoint, "only");
  if (crosses) {
    const middle = drawing.y - (path.service ? GAP / 2 : 56);
    if (from) node(drawing, from, top, middle - 5);
    top = middle + 5;
  }
  const last = crosses ? to : from;
  const endpointTop = drawing.y;
  const peersBeside = drawing.wide && path.peers.length > 0;
  if (path.endpoint) {
    drawing.station("endpoint", path.endpoint, peersBeside ? drawing.left : drawing.inner);
    drawing.y += crosses ? 22 : 10;
  }
  if (last && !(crosses && outside)) {
    const scattered =
      peersBeside && path.endpoint !== null && path.peers.some((peer) => peer.node !== last);
    node(drawing, last, top, drawing.y, scattered ? endpointTop - GAP / 2 + 5 : drawing.y);
  }
  peers(drawing, endpointTop);
  drawing.picture.height = drawing.y + EDGE;
  return drawing.picture;
}

/**
 * The border of a node. narrow: from there on it is as wide as the endpoint, for beside that are
 * others, on nodes of their own.
 */
function node(drawing: Drawing, name: string, top: number, end: number, narrow = end) {
  const { picture, left } = drawing;
  const [right, inner] = [picture.width - 2, narrow > top && narrow < end ? left + 22 : 0];
  const corners: Point[] =
    narrow <= top
      ? [
          [2, top],
          [left + 22, top],
          [left + 22, end],
          [2, end],
        ]
      : inner
        ? [
            [2, top],
            [right, top],
            [right, narrow],
            [inner, narrow],
            [inner, end],
            [2, end],
          ]
        : [
            [2, top],
            [right, top],
            [right, end],
            [2, end],
          ];
  // The way into a second node would cross its name at the top.
  const second = picture.nodes.length > 0;
  const edge = narrow <= top ? left + 22 : right;
  picture.nodes.push({ name, corners, nameAt: [edge - 10, second ? end - 6 : top + 14] });
}

function client(drawing: Drawing) {
  const { path, wide, inner, left, x } = drawing;
  const { lookUp } = path;
  const beside = wide && lookUp !== null;
  const y = drawing.y;
  drawing.station("client", path.client, beside ? left : inner);
  if (!lookUp) return;
  const what = [
    "DNS",
    `${lookUp.name} → ${lookUp.answer}`,
    `DNS: ${lookUp.name} is ${lookUp.answer}`,
  ];
  if (beside) {
    const from = x + left + 36;
    drawing.box("dns", { x: from, y, width: inner - left - 36, height: BOX }, what);
    drawing.line("dns", [x + left, y + BOX / 2], [from, y + BOX / 2]);
    return;
  }
  drawing.y += 12;
  const from = x + 2 * LANE;
  drawing.box("dns", { x: from, y: drawing.y, width: inner - 4 * LANE, height: BOX }, what);
  drawing.line("dns", [x + LANE, drawing.y + BOX / 2], [from, drawing.y + BOX / 2], false);
  drawing.line("request", [x + LANE, y + BOX], [x + LANE, drawing.y + BOX], false);
  if (path.reply) {
    drawing.line("reply", [x + inner - LANE, drawing.y + BOX], [x + inner - LANE, y + BOX]);
  }
  drawing.y += BOX;
  drawing.bottom = drawing.y;
}

function service(drawing: Drawing) {
  const { path, inner } = drawing;
  if (!path.service) return;
  gap(drawing, path.service, "upper");
  drawing.station("service", path.service, inner);
  gap(drawing, path.endpoint, "lower");
}

/** The way down and the way back between two stations, with the addresses on it. */
function gap(drawing: Drawing, target: Station | null, which: "upper" | "lower" | "only") {
  const { path, x } = drawing;
  const [top, begin] = [drawing.bottom, drawing.y];
  const bottom = begin + (which === "only" ? WIDER_GAP : GAP);
  const down = x + LANE;
  const up = x + replyLane(drawing);
  const room = up - down - 16;
  const { broken } = path;
  drawing.y = bottom;
  const place = which === "upper" ? null : (broken?.place ?? null);
  if (place === "service") {
    brokenWay(drawing, down, top, top + 24, broken?.what ?? "");
    if (path.peers.length === 0) drawing.y -= 28;
    return;
  }
  if (place === "between") brokenWay(drawing, down, top, (top + bottom) / 2, broken?.what ?? "");
  else if (place === "endpoint") brokenWay(drawing, down, top, bottom - 12, broken?.what ?? "");
  else drawing.line("request", [down, top], [down, bottom]);
  const translated = which === "lower";
  if (target) {
    const source = translated && isMasqueraded(path) ? null : path.client;
    drawing.label("address", down + 9, begin + 18, "start", way(source, target, room));
  }
  if (!path.reply && place !== "reply") return;
  if (place === "reply") {
    drawing.line("reply", [up, bottom], [up, (top + bottom) / 2 + 8], false);
    drawing.picture.breaks.push([up, (top + bottom) / 2]);
    drawing.label("failure", up - 14, bottom - 12, "end", broken?.what ?? "");
    return;
  }
  if (broken?.place === "reply") return;
  const goesOn = which !== "lower" && path.lookUp !== null && !drawing.wide;
  drawing.line("reply", [up, bottom], [up, top], !goesOn);
  if (target && !(translated && isMasqueraded(path))) {
    drawing.label("address", up - 9, bottom - 10, "end", way(target, path.client, room));
  }
  if (which !== "lower") drawing.label("reply", up - 9, bottom - 27, "end", path.reply);
}

/**
 * Whether the node may have put its own address in the place of the client's: for who is no Pod,
 * and for a Pod that reaches itself. The entry does not tell.
 */
function isMasqueraded({ client, endpoint }: Path): boolean {
  const ip = (station: Station | null) => station?.address.replace(/:\d+$/, "");
  return client.kind !== "pod" || ip(client) === ip(endpoint);
}

/** Source and destination as they are on this part of the way; the destination, if only that fits. */
function way(from: Station | null, to: Station, room: number): string {
  const whole = from ? `${from.address} → ${to.address}` : `→ ${to.address}`;
  return whole.length * MONO <= room ? whole : fitted(`→ ${to.address}`, room, MONO);
}

function brokenWay(drawing: Drawing, x: number, from: number, to: number, what: string) {
  drawing.line("request", [x, from], [x, to - 9], false);
  drawing.picture.breaks.push([x, to]);
  drawing.label("failure", x + 14, to + 5, "start", what);
}

function replyLane({ path, wide, inner, left }: Drawing): number {
  const beside = path.lookUp !== null || (path.service !== null && path.peers.length > 0);
  return (wide && beside ? left : inner) - LANE;
}

/** Who could have been chosen instead: beside the endpoint, or below it. */
function peers(drawing: Drawing, endpointTop: number) {
  const { path, wide, inner, left, x } = drawing;
  if (path.peers.length === 0) return;
  if (wide) {
    const from = x + left + 36;
    const trunk = x + left + 22;
    const top = path.endpoint ? endpointTop : drawing.y + 8;
    const bottom = smallBoxes(drawing, from, top, inner - left - 36, trunk);
    drawing.line(
      "peer",
      [trunk, path.endpoint ? top - GAP : drawing.bottom],
      [trunk, bottom],
      false,
    );
    drawing.y = Math.max(drawing.y, bottom + SMALL / 2);
    return;
  }
  drawing.label("note", x, drawing.y + 18, "start", path.endpoint ? "Not chosen:" : "Endpoints:");
  drawing.y = smallBoxes(drawing, x + 18, drawing.y + 26, inner - 18, null) + SMALL / 2;
}

/** Small boxes below each other; the middle of the last one. */
function smallBoxes(drawing: Drawing, x: number, top: number, width: number, trunk: number | null) {
  const all = drawing.path.peers;
  const shown = all.length > MAX_PEERS ? all.slice(0, MAX_PEERS - 1) : all;
  let y = top;
  const put = (role: Role, text: string, full = text) => {
    drawing.box(role, { x, y, width, height: SMALL }, [text, "", full]);
    if (trunk !== null) drawing.line("peer", [trunk, y + SMALL / 2], [x, y + SMALL / 2], false);
    y += SMALL + BETWEEN_SMALL;
  };
  for (const peer of shown)
    put(peer.why ? "unready" : "peer", peerText(peer), `${peer.name} ${peer.why}`);
  if (shown.length < all.length) put("more", `and ${all.length - shown.length} more`);
  return y - BETWEEN_SMALL - SMALL / 2;
}

function peerText({ name, node, why }: Peer): string {
  return why ? `${name}, not ready` : `${name}${node && node !== name ? `, ${node}` : ""}`;
}
