// The map as a table: the same, to be read.
import type { MapEdge, MapNode } from "../messages";
import { href } from "../route";
import { keyOf } from "../services/kinds";
import * as format from "../ui/format";
import { windowWords } from "../ui/window";
import type { Graph } from "./visible";
import { aboutNode, latencyOf, troubleOf } from "./words";
import "./as-list.css";

export function AsList({ graph }: { graph: Graph }) {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const name = (id: string) => byId.get(id)?.name ?? id;
  const edges = [...graph.edges].sort(
    (a, b) => b.requests - a.requests || (name(a.source) < name(b.source) ? -1 : 1),
  );
  return (
    <div class="map-list">
      <table>
        <caption class="unseen">Who talked to whom in {windowWords}, the most first</caption>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">To whom</th>
            <th scope="col" class="number">
              Requests
            </th>
            <th scope="col" class="number">
              Errors
            </th>
            <th scope="col" class="number wide">
              p50 / p99
            </th>
          </tr>
        </thead>
        <tbody>
          {edges.map((edge) => (
            <Line
              key={`${edge.source} ${edge.target}`}
              edge={edge}
              source={byId.get(edge.source)}
              target={byId.get(edge.target)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps {
  edge: MapEdge;
  source: MapNode | undefined;
  target: MapNode | undefined;
}

function Line({ edge, source, target }: LineProps) {
  if (!source || !target) return null;
  return (
    <tr>
      <th scope="row">
        <Who node={source} />
      </th>
      <td>
        <Who node={target} />
      </td>
      <td class="number">
        {edge.filter ? (
          <a href={href("traffic", { filter: edge.filter })}>
            {format.rate(edge.rate_per_s)}
            <span class="unseen">
              {" "}
              from {source.name} to {target.name}: show the traffic
            </span>
          </a>
        ) : (
          format.rate(edge.rate_per_s)
        )}
        <div class="about">{format.count(edge.requests)}</div>
      </td>
      <td class="number" data-trouble={troubleOf(edge)}>
        {edge.errors ? format.share(edge.errors / edge.requests) : "0"}
      </td>
      <td class="number wide">{latencyOf(edge) || "–"}</td>
    </tr>
  );
}

function Who({ node }: { node: MapNode }) {
  return (
    <>
      {node.kind === "service" ? (
        <a href={href("services", { name: keyOf(node) })}>{node.name}</a>
      ) : (
        node.name
      )}
      <div class="about">{aboutNode({ ...node, members: 0 })}</div>
    </>
  );
}
