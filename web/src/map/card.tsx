// All about what is pointed at on the map, and how to read it while nothing is.
import type { MapEdge } from "../messages";
import * as format from "../ui/format";
import type { DrawnNode } from "./fold";
import { errorsInWords, nodeInWords } from "./words";
import "./card.css";

export type Pointed = { edge: MapEdge } | { node: DrawnNode };

interface Props {
  pointed: Pointed | null;
  byId: ReadonlyMap<string, DrawnNode>;
  edges: readonly MapEdge[];
}

export function Card({ pointed, byId, edges }: Props) {
  return (
    <div class="map-card">
      {!pointed ? (
        <p>
          Each line: requests a second, errors, and how long half of them / 99 of 100 took at most.
          Click one, or press Enter, to see its traffic.
        </p>
      ) : "edge" in pointed ? (
        <EdgeFacts edge={latest(pointed.edge, edges)} byId={byId} />
      ) : (
        <NodeFacts node={pointed.node} edges={edges} />
      )}
    </div>
  );
}

/** What is pointed at goes on changing. */
function latest(edge: MapEdge, edges: readonly MapEdge[]): MapEdge {
  return (
    edges.find(({ source, target }) => source === edge.source && target === edge.target) ?? edge
  );
}

function EdgeFacts({ edge, byId }: { edge: MapEdge; byId: Props["byId"] }) {
  const [source, target] = [byId.get(edge.source), byId.get(edge.target)];
  return (
    <>
      <p>
        <strong>{source && nodeInWords(source)}</strong> →{" "}
        <strong>{target && nodeInWords(target)}</strong>
      </p>
      <p>
        {edge.protocols.join(", ")} · {format.counted(edge.requests, "request")} ·{" "}
        {format.rate(edge.rate_per_s)} · {errorsInWords(edge) || "no errors"}
        {edge.p50_us !== null && ` · p50 ${format.duration(edge.p50_us)}`}
        {edge.p99_us !== null && ` · p99 ${format.duration(edge.p99_us)}`}
      </p>
    </>
  );
}

function NodeFacts({ node, edges }: { node: DrawnNode; edges: readonly MapEdge[] }) {
  const asks = sumOf(edges.filter(({ source }) => source === node.id));
  const asked = sumOf(edges.filter(({ target }) => target === node.id));
  return (
    <>
      <p>
        <strong>{nodeInWords(node)}</strong>
      </p>
      <p>
        {node.kind === "service" ? "leads on" : "asks"} {asks} · is asked {asked}
      </p>
    </>
  );
}

function sumOf(edges: readonly MapEdge[]): string {
  const requests = edges.reduce((sum, edge) => sum + edge.requests, 0);
  const errors = edges.reduce((sum, edge) => sum + edge.errors, 0);
  const text = format.counted(requests, "time");
  return errors ? `${text} (${format.counted(errors, "error")})` : text;
}
