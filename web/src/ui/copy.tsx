// A command to copy.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "./copy.css";

const SAID_FOR_MS = 2_000;

export function Command({ text }: { text: string }) {
  const said = useSignal("");
  useEffect(() => {
    if (!said.value) return;
    const timer = setTimeout(() => {
      said.value = "";
    }, SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said.value]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => {
        said.value = "Copied";
      },
      () => {
        said.value = "The browser does not allow it";
      },
    );
  return (
    <span class="copyable">
      <code>{text}</code>
      <button type="button" class="button" onClick={copy} aria-label={`Copy: ${text}`}>
        {said.value || "Copy"}
      </button>
      <span class="unseen" aria-live="polite">
        {said.value}
      </span>
    </span>
  );
}
