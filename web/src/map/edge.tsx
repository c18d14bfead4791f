// A line of the map with its numbers; a press shows its traffic.
import type { MapEdge } from "../messages";
import { href } from "../route";
import * as format from "../ui/format";
import type { DrawnNode } from "./fold";
import { LABEL, type Layout } from "./layout";
import { lineOf, type Ports, thickness } from "./lines";
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
  ports: Ports | undefined;
  moves: boolean;
  faded: boolean;
  onPoint: (on: boolean) => void;
  onFocus: () => void;
}

export function Edge({ edge, source, target, layout, ...props }: Props) {
  const line = lineOf(edge, layout, props.ports, TIP);
  if (!line || !source || !target) return null;
  const trouble = troubleOf(edge);
  const errors = errorsInWords(edge);
  return (
    <g class="map-edge" data-trouble={trouble} data-faded={props.faded}>
      <Press
        to={edge.filter && href("traffic", { filter: edge.filter })}
        label={`${edgeInWords(edge, source, target)}. Show the traffic`}
        onPoint={props.onPoint}
        onFocus={props.onFocus}
      >
        <path class="reach" d={line.d} />
        <rect
          class="reach"
          x={line.label.x - LABEL.width / 2}
          y={line.label.y - LABEL.height / 2}
          width={LABEL.width}
          height={LABEL.height}
        />
        <path
          class="line"
          d={line.d}
          stroke-width={thickness(edge.rate_per_s)}
          marker-end={`url(#head-${trouble})`}
        />
        {props.moves && (
          <path class="moving" d={line.d} stroke-width={thickness(edge.rate_per_s) + 3.5} />
        )}
      </Press>
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: texts have no focus; the link says it all */}
      <g transform={`translate(${line.label.x} ${line.label.y})`} aria-hidden="true">
        <text y="-7">{format.rate(edge.rate_per_s)}</text>
        {errors && (
          <text class="errors" y="16">
            {errors}
          </text>
        )}
        <text class="latency" y={errors ? 30 : 16}>
          {latencyOf(edge)}
        </text>
      </g>
    </g>
  );
}
