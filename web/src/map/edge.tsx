// A line of the map with its numbers; a press shows its traffic.
import type { MapEdge } from "../messages";
import { trafficHref } from "../services/links";
import * as format from "../ui/format";
import type { DrawnNode } from "./fold";
import type { Layout } from "./layout";
import { lineOf, thickness } from "./lines";
import { Press } from "./press";
import { edgeInWords, errorsInWords, latencyOf, troubleOf } from "./words";
import "./edge.css";

// Length of an arrow's head.
const TIP = 10;

interface Props {
  edge: MapEdge;
  source: DrawnNode | undefined;
  target: DrawnNode | undefined;
  layout: Layout;
  moves: boolean;
  faded: boolean;
  onPoint: (on: boolean) => void;
  onFocus: () => void;
}

export function Edge({ edge, source, target, layout, ...props }: Props) {
  const line = lineOf(edge, layout, TIP);
  if (!line || !source || !target) return null;
  const trouble = troubleOf(edge);
  const errors = errorsInWords(edge);
  return (
    <g class="edge" data-trouble={trouble} data-faded={props.faded}>
      <Press
        to={edge.filter && trafficHref(edge.filter)}
        label={`${edgeInWords(edge, source, target)}. Show the traffic`}
        onPoint={props.onPoint}
        onFocus={props.onFocus}
      >
        <path class="reach" d={line.d} />
        <path
          class="line"
          d={line.d}
          stroke-width={thickness(edge.rate_per_s)}
          marker-end={`url(#head-${trouble})`}
        />
        {props.moves && <path class="moving" d={line.d} />}
        <g transform={`translate(${line.label.x} ${line.label.y})`}>
          <text y="-6">
            {format.rate(edge.rate_per_s)}
            {errors && <tspan class="errors">{` · ${errors}`}</tspan>}
          </text>
          <text class="latency" y="14">
            {latencyOf(edge)}
          </text>
        </g>
      </Press>
    </g>
  );
}
