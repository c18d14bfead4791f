// A value that offers to filter on it.
import type { Choice } from "../filter/compose";
import { openMenu } from "../filter/menu";

export function Value({ text, choices }: { text: string; choices: Choice[] }) {
  if (!text) return <span class="note">empty</span>;
  return (
    <button
      type="button"
      class="value"
      aria-haspopup="menu"
      title="Filter on this value"
      onClick={(event) => {
        const { left, bottom } = event.currentTarget.getBoundingClientRect();
        openMenu(choices, left, bottom + 2, event.currentTarget);
      }}
    >
      {text}
    </button>
  );
}
