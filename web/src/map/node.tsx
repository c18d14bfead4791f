// A node of the map; a press shows its traffic, or what is folded into it.
import type { MapEdge } from "../messages";
import { href, parameters } from "../route";
import type { DrawnNode } from "./fold";
import { NODE, type Point } from "./layout";
import { filterOf } from "./links";
import { textWidth } from "./measure";
import { Press } from "./press";
import { aboutNode, nodeInWords, shortened, wrapped } from "./words";
import "./node.css";

const PADDING = 12;
// Of a Service's corners.
const CUT = 12;

interface Props {
  node: DrawnNode;
  edges: readonly MapEdge[];
  at: Point | undefined;
  faded: boolean;
  onPoint: (on: boolean) => void;
  onFocus: () => void;
}

export function Node({ node, edges, at, ...props }: Props) {
  if (!at) return null;
  const folded = node.kind === "namespace";
  const filter = folded ? "" : filterOf(node, edges);
  const room = NODE.width - 2 * PADDING;
  const lines = wrapped(node.name, room, (text) => textWidth(text, 15, 600));
  return (
    <g
      class="map-node"
      data-kind={node.kind}
      data-faded={props.faded}
      transform={`translate(${at.x} ${at.y})`}
    >
      <Press
        to={folded ? inside(node.name) : filter && href("traffic", { filter })}
        label={`${nodeInWords(node)}. ${folded ? "Show what is in it" : "Show its traffic"}`}
        onPoint={props.onPoint}
        onFocus={props.onFocus}
      >
        <Shape node={node} />
      </Press>
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: texts have no focus; the link says it all */}
      <g aria-hidden="true">
        {lines.map((line, at) => (
          <text key={line} class="name" y={lines.length === 1 ? -4 : -11 + 17 * at}>
            {line}
          </text>
        ))}
        <text class="about" y={lines.length === 1 ? 16 : 23}>
          {shortened(aboutNode(node), room, (text) => textWidth(text, 12.5, 400))}
        </text>
      </g>
    </g>
  );
}

function inside(namespace: string): string {
  return href("map", { ...Object.fromEntries(parameters.value), namespace });
}

/** Services have cut corners; workloads are sheets, several of them for several Pods; the rest is plain. */
function Shape({ node }: { node: DrawnNode }) {
  const [w, h] = [NODE.width / 2, NODE.height / 2];
  if (node.kind === "service") {
    const [x, y] = [w - CUT, h - CUT];
    const points = [
      [-w, -y],
      [-x, -h],
      [x, -h],
      [w, -y],
      [w, y],
      [x, h],
      [-x, h],
      [-w, y],
    ];
    return <polygon class="shape" points={points.map((each) => each.join(",")).join(" ")} />;
  }
  const several = node.kind === "workload" ? Math.min(2, node.pods - 1) : 0;
  const round = node.kind === "workload" ? 8 : node.kind === "external" ? h : 2;
  return (
    <>
      {[2, 1].map(
        (sheet) =>
          sheet <= several && (
            <rect
              key={sheet}
              class="shape behind"
              x={-w + 4 * sheet}
              y={-h - 4 * sheet}
              width={2 * w - 8 * sheet}
              height={10}
              rx={4}
            />
          ),
      )}
      <rect class="shape" x={-w} y={-h} width={2 * w} height={2 * h} rx={round} />
    </>
  );
}
