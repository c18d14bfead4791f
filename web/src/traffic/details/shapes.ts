// What a picture is made of. Pure: pixels, no elements.

export type Role = "client" | "service" | "endpoint" | "dns" | "peer" | "unready" | "more";

export interface Box {
  role: Role;
  x: number;
  y: number;
  width: number;
  height: number;
  title: string;
  text: string;
  /** The whole of it, for a tooltip. */
  full: string;
}

export type Point = [number, number];

export interface Line {
  role: "request" | "reply" | "dns" | "peer";
  from: Point;
  to: Point;
  arrow: boolean;
}

export interface Label {
  x: number;
  y: number;
  anchor: "start" | "end" | "middle";
  role: "address" | "reply" | "node" | "failure" | "note";
  text: string;
}

export interface Picture {
  width: number;
  height: number;
  boxes: Box[];
  lines: Line[];
  labels: Label[];
  /** Borders of nodes: their corners, and where the name ends. */
  nodes: { name: string; corners: Point[]; nameAt: Point }[];
  /** Where the way is broken. */
  breaks: Point[];
}

/** The path data of a closed outline of right angles, with round corners. */
export function outline(corners: Point[], radius: number): string {
  const toward = ([x, y]: Point, [otherX, otherY]: Point): Point => [
    x + Math.sign(otherX - x) * radius,
    y + Math.sign(otherY - y) * radius,
  ];
  const turns = corners.map((corner, index) => {
    const before = corners.at(index - 1) ?? corner;
    const behind = corners[(index + 1) % corners.length] ?? corner;
    return `${toward(corner, before).join(" ")}Q${corner.join(" ")} ${toward(corner, behind).join(" ")}`;
  });
  return `M${turns.join("L")}Z`;
}
