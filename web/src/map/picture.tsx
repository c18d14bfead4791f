// The map as a picture: nodes and lines, which can be moved about in, and lead to their traffic.
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { MapEdge } from "../messages";
import { Card, type Pointed } from "./card";
import { Edge } from "./edge";
import type { DrawnGraph, DrawnNode } from "./fold";
import { useNavigation } from "./gestures";
import { arranged, edgeKey, type Layout } from "./layout";
import { portsOf } from "./lines";
import { isLive, observed, type Seen } from "./liveness";
import { Node } from "./node";
import { useTween } from "./tween";
import type { troubleOf } from "./words";
import "./picture.css";

// More moving lines than this are a waste of somebody's battery.
const MAX_MOVING = 80;

export function Picture({ graph }: { graph: DrawnGraph }) {
  const place = useRef<HTMLDivElement>(null);
  const tidied = useSignal(0);
  const target = useLayout(graph, tidied.value);
  const layout = useTween(target);
  const navigation = useNavigation(place, target);
  const live = useLive(graph.edges);
  const pointed = useSignal<Pointed | null>(null);
  const byId = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
  const { x, y, scale } = navigation.view.value;
  const ports = useMemo(() => portsOf(graph.edges, target), [graph, target]);
  const nodes = inReadingOrder(graph.nodes, target);
  return (
    <div class="picture">
      <section
        class="canvas"
        ref={place}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys move the map
        tabIndex={0}
        aria-label="Map. Arrow keys move it, plus and minus zoom, 0 shows all of it. The list has the same."
        onKeyDown={navigation.onKeyDown}
      >
        <svg aria-hidden={graph.nodes.length === 0}>
          <title>Who talks to whom</title>
          <Heads />
          <g transform={`translate(${x} ${y}) scale(${scale})`}>
            {graph.edges.map((edge) => (
              <Edge
                key={edgeKey(edge)}
                edge={edge}
                source={byId.get(edge.source)}
                target={byId.get(edge.target)}
                layout={layout}
                ports={ports.get(edgeKey(edge))}
                moves={live.size <= MAX_MOVING && live.has(edgeKey(edge))}
                faded={isFaded(pointed.value, edge)}
                onPoint={(on) => {
                  pointed.value = on ? { edge } : null;
                }}
                onFocus={() => {
                  const way = target.edges.get(edgeKey(edge));
                  const label = way?.bends[way.label];
                  if (label) navigation.reveal(label);
                }}
              />
            ))}
            {nodes.map((node) => (
              <Node
                key={node.id}
                node={node}
                edges={graph.edges}
                at={layout.nodes.get(node.id)}
                faded={isNodeFaded(pointed.value, node, graph.edges)}
                onPoint={(on) => {
                  pointed.value = on ? { node } : null;
                }}
                onFocus={() => {
                  const point = target.nodes.get(node.id);
                  if (point) navigation.reveal(point);
                }}
              />
            ))}
          </g>
        </svg>
      </section>
      <div class="buttons">
        <button type="button" class="button" onClick={() => navigation.zoom(1.25)}>
          <span class="unseen">Nearer</span>
          <span aria-hidden="true">+</span>
        </button>
        <button type="button" class="button" onClick={() => navigation.zoom(0.8)}>
          <span class="unseen">Farther</span>
          <span aria-hidden="true">−</span>
        </button>
        <button type="button" class="button" onClick={navigation.fit}>
          Fit
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            tidied.value++;
            navigation.fit();
          }}
        >
          Tidy up
        </button>
      </div>
      <Card pointed={pointed.value} byId={byId} edges={graph.edges} />
    </div>
  );
}

/** Keep the layout while nothing new comes; make another one on tidying up. */
function useLayout(graph: DrawnGraph, tidied: number): Layout {
  const before = useRef<{ layout: Layout; tidied: number } | null>(null);
  const known = before.current?.tidied === tidied ? before.current.layout : null;
  const layout = useMemo(
    () =>
      arranged(
        graph.nodes.map(({ id }) => id),
        graph.edges,
        known,
      ),
    [graph, tidied],
  );
  before.current = { layout, tidied };
  return layout;
}

function useLive(edges: readonly MapEdge[]): ReadonlySet<string> {
  const seen = useRef<ReadonlyMap<string, Seen>>(new Map());
  return useMemo(() => {
    const now = Date.now();
    const requests = new Map(edges.map((edge) => [edgeKey(edge), edge.requests]));
    seen.current = observed(seen.current, requests, now);
    return new Set([...requests.keys()].filter((key) => isLive(seen.current.get(key), now)));
  }, [edges]);
}

/** Tab goes from left to right, and down. */
function inReadingOrder(nodes: readonly DrawnNode[], layout: Layout): DrawnNode[] {
  const at = (node: DrawnNode) => layout.nodes.get(node.id) ?? { x: 0, y: 0 };
  return [...nodes].sort((a, b) => at(a).x - at(b).x || at(a).y - at(b).y);
}

function isFaded(pointed: Pointed | null, edge: MapEdge): boolean {
  if (!pointed) return false;
  if ("edge" in pointed) return edgeKey(pointed.edge) !== edgeKey(edge);
  return edge.source !== pointed.node.id && edge.target !== pointed.node.id;
}

function isNodeFaded(pointed: Pointed | null, node: DrawnNode, edges: readonly MapEdge[]): boolean {
  if (!pointed) return false;
  if ("edge" in pointed) return ![pointed.edge.source, pointed.edge.target].includes(node.id);
  if (pointed.node.id === node.id) return false;
  return !edges.some(
    (edge) => !isFaded(pointed, edge) && (edge.source === node.id || edge.target === node.id),
  );
}

/** Heads of arrows, one for each colour. */
function Heads() {
  const troubles: ReturnType<typeof troubleOf>[] = ["good", "warning", "error"];
  return (
    <defs>
      {troubles.map((trouble) => (
        <marker
          key={trouble}
          id={`head-${trouble}`}
          data-trouble={trouble}
          viewBox="0 0 10 10"
          refX="0"
          refY="5"
          markerWidth="10"
          markerHeight="10"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0 10 5 0 10Z" />
        </marker>
      ))}
    </defs>
  );
}
