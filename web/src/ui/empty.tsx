// What to say where there is nothing, and what to do about it.
import type { ComponentChildren } from "preact";
import "./empty.css";

export function Empty({ what, children }: { what: string; children?: ComponentChildren }) {
  return (
    <div class="nothing">
      <p class="what">{what}</p>
      {children}
    </div>
  );
}
