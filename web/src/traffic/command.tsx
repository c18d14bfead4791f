// A command to type elsewhere, with a button that copies it.
import { useSignal } from "@preact/signals";
import { copyText } from "./clipboard";

export function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>{text}</code>
      <Copy text={() => text} label="Copy the command" />
    </p>
  );
}

interface CopyProps {
  text: () => string;
  label: string;
  says?: string;
}

/** A button that copies a text. */
export function Copy({ text, label, says = "Copy" }: CopyProps) {
  const copied = useSignal(false);
  async function copy() {
    await copyText(text());
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, 2000);
  }
  return (
    <button
      type="button"
      class="button"
      aria-label={copied.value ? "Copied" : label}
      title={label}
      onClick={copy}
    >
      {copied.value ? "Copied" : says}
    </button>
  );
}
