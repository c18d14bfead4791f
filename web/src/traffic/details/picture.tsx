// The path as a picture. What it shows is also said in words below it, for who cannot see it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { draw } from "./geometry";
import type { Path } from "./path";
import { type Box, type Line, outline, type Picture } from "./shapes";
import "./picture.css";

interface Props {
  path: Path;
  /** Show the look-up's own entry. */
  openLookUp: (() => void) | null;
}

export function PathPicture({ path, openLookUp }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      width.value = Math.floor(element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [width]);
  return (
    <div class="path">
      <div ref={frame} class="drawing" aria-hidden="true">
        {width.value > 0 && <Drawn picture={draw(path, width.value)} openLookUp={openLookUp} />}
      </div>
      <ol>
        {path.words.map((sentence, index) => (
          <li key={sentence}>
            {sentence}
            {index === 0 && path.lookUp && openLookUp && (
              <>
                {" "}
                <button type="button" class="plain" onClick={openLookUp}>
                  Show that look-up
                </button>
              </>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Drawn({ picture, openLookUp }: { picture: Picture; openLookUp: (() => void) | null }) {
  const { width, height, boxes, lines, labels, nodes, breaks } = picture;
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: it is hidden from who cannot see it
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <defs>
        <Arrow id="arrow-request" />
        <Arrow id="arrow-reply" />
        <Arrow id="arrow-dns" />
      </defs>
      {nodes.map(({ name, corners, nameAt: [x, y] }) => (
        <g class="zone" key={name}>
          <path d={outline(corners, 10)} />
          <text x={x} y={y} text-anchor="end">
            {name}
          </text>
        </g>
      ))}
      {lines.map((line) => (
        <path
          class={`line ${line.role}`}
          d={`M${line.from.join(" ")}L${line.to.join(" ")}`}
          marker-end={line.arrow ? `url(#arrow-${line.role})` : undefined}
          key={keyOf(line)}
        />
      ))}
      {boxes.map((box) => (
        <Boxed box={box} open={box.role === "dns" ? openLookUp : null} key={`${box.x} ${box.y}`} />
      ))}
      {labels.map(({ x, y, anchor, role, text }) => (
        <text class={`label ${role}`} x={x} y={y} text-anchor={anchor} key={`${x} ${y}`}>
          {text}
        </text>
      ))}
      {breaks.map(([x, y]) => (
        <path class="break" d={`M${x - 7} ${y - 7}l14 14m0-14l-14 14`} key={`${x} ${y}`} />
      ))}
    </svg>
  );
}

const keyOf = (line: Line) => `${line.from} ${line.to}`;

function Arrow({ id }: { id: string }) {
  return (
    <marker
      id={id}
      viewBox="0 0 10 10"
      refX="9"
      refY="5"
      markerWidth="7"
      markerHeight="7"
      orient="auto"
    >
      <path d="M0 0L10 5L0 10z" />
    </marker>
  );
}

function Boxed({ box, open }: { box: Box; open: (() => void) | null }) {
  const { role, x, y, width, height, title, text, full } = box;
  return (
    <g class={`box ${role}`} data-opens={open ? "" : undefined} onClick={open ?? undefined}>
      <title>{full}</title>
      <rect x={x} y={y} width={width} height={height} rx="7" />
      {text ? (
        <>
          <text class="title" x={x + 11} y={y + 19}>
            {title}
          </text>
          <text class="text" x={x + 11} y={y + 36}>
            {text}
          </text>
        </>
      ) : (
        <text class="text" x={x + 9} y={y + height / 2 + 4}>
          {title}
        </text>
      )}
      {role === "unready" && <path class="crossed" d={`M${x} ${y + height}L${x + width} ${y}`} />}
    </g>
  );
}
