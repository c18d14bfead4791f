// A row of the list.
import { Component } from "preact";
import type { Peer, Row } from "../../messages";
import { address, inMilliseconds, outcome, peerTitle, requestLine, timeOfDay } from "../format";
import { Mark } from "../mark";

interface Props {
  row: Row;
  number: number;
  /** Place among the rows, from 1; the head is row 1 of the table. */
  index: number;
  top: number;
  selected: boolean;
}

export const rowId = (number: number) => `row${number}`;

/** It is drawn again only if it shows something else: rows come by the thousand. */
export class RowLine extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const now = this.props;
    return (
      next.row !== now.row ||
      next.top !== now.top ||
      next.selected !== now.selected ||
      next.index !== now.index
    );
  }

  override render({ row, number, index, top, selected }: Props) {
    const { text, tone } = outcome(row);
    return (
      <div
        role="row"
        class="row"
        id={rowId(number)}
        data-number={number}
        data-tone={tone}
        aria-rowindex={index + 1}
        aria-selected={selected}
        style={{ transform: `translateY(${top}px)` }}
      >
        <span role="gridcell" class="time" title={new Date(row.time).toISOString()}>
          {timeOfDay(row.time)}
        </span>
        <span role="gridcell" class="src" data-cell="src" title={peerTitle(row.src)}>
          <Name peer={row.src} />
        </span>
        <span role="gridcell" class="dst" data-cell="dst" title={peerTitle(row.dst)}>
          <Name peer={row.dst} />
        </span>
        <Endpoint row={row} />
        <span role="gridcell" class="protocol" data-cell="protocol">
          {row.protocol}
        </span>
        <span role="gridcell" class="request" data-cell="request" title={row.summary}>
          {row.method && <b>{row.method}</b>} {requestLine(row)}
        </span>
        <span role="gridcell" class="status" data-cell="status" data-tone={tone}>
          <Mark tone={tone} />
          {text}
        </span>
        <span role="gridcell" class="elapsed">
          {row.elapsed_us === null ? "–" : inMilliseconds(row.elapsed_us)}
        </span>
      </div>
    );
  }
}

/** Characters that stay where there is no room for a name: Pods differ at their ends. */
const END = 6;

function Name({ peer }: { peer: Peer }) {
  if (peer.kind === "external") return <>{address(peer)}</>;
  return (
    <>
      <span class="begin">{peer.name.slice(0, -END)}</span>
      <span>{peer.name.slice(-END)}</span>
      {peer.namespace && peer.namespace !== "default" && <small> {peer.namespace}</small>}
    </>
  );
}

function Endpoint({ row }: { row: Row }) {
  const { endpoint, dst } = row;
  const same = endpoint !== null && endpoint.ip === dst.ip && endpoint.port === dst.port;
  if (!endpoint || same) {
    return (
      <span role="gridcell" class="endpoint none">
        {same ? "direct" : "–"}
      </span>
    );
  }
  return (
    <span role="gridcell" class="endpoint" data-cell="endpoint" title={peerTitle(endpoint)}>
      <Name peer={endpoint} />
    </span>
  );
}
