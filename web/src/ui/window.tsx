// The span of time that numbers are of, as the address has it: `window=300`, in seconds.
import { computed } from "@preact/signals";
import { change, parameters } from "../route";
import { Choice } from "./choice";

const WINDOWS = [
  { value: 60, text: "1 min", words: "the last minute" },
  { value: 300, text: "5 min", words: "the last 5 minutes" },
  { value: 900, text: "15 min", words: "the last 15 minutes" },
  { value: 3600, text: "1 h", words: "the last hour" },
] as const;
const USUAL_S = 300;

export const windowS = computed<number>(() => {
  const asked = Number(parameters.value.get("window"));
  return WINDOWS.find(({ value }) => value === asked)?.value ?? USUAL_S;
});

/** `the last 5 minutes` */
export const windowWords = computed(
  () => WINDOWS.find(({ value }) => value === windowS.value)?.words ?? "",
);

export function WindowChoice() {
  return (
    <Choice
      label="Numbers of the last"
      name="window"
      options={WINDOWS}
      chosen={windowS.value}
      onChoose={(value) => change({ window: value === USUAL_S ? "" : String(value) }, true)}
    />
  );
}
