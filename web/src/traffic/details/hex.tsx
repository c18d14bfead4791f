// Bytes that are no text.
import { size } from "../format";
import { hexLines } from "./body";

export function Hex({ bytes, whole }: { bytes: Uint8Array; whole: number }) {
  return (
    <>
      <div class="hex" role="group" tabIndex={0} aria-label="Bytes in hexadecimal">
        {hexLines(bytes).map(([offset, hex, text]) => (
          <div key={offset}>
            <span class="offset">{offset}</span>
            <span class="bytes">{hex}</span>
            <span>{text}</span>
          </div>
        ))}
      </div>
      {bytes.length < whole && (
        <p class="note">
          The first {size(bytes.length)} of {size(whole)}.
        </p>
      )}
    </>
  );
}
