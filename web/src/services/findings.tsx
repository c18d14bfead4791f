// What is noteworthy of a Service, the worst first, and what to do about it.
import type { Finding } from "../messages";
import { Command } from "../ui/copy";
import { LEVELS, Severity } from "../ui/severity";
import { commandIn } from "./links";
import "./findings.css";

export function Findings({ findings }: { findings: readonly Finding[] }) {
  const worstFirst = [...findings].sort(
    (a, b) => LEVELS.indexOf(b.severity) - LEVELS.indexOf(a.severity),
  );
  return (
    <ul class="findings" aria-label="Findings">
      {worstFirst.map((finding) => (
        <li key={finding.what} data-severity={finding.severity}>
          <Severity level={finding.severity} />
          <div>
            {finding.what}
            <Mend text={finding.mend} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What to do; a command in it can be copied. */
function Mend({ text }: { text: string }) {
  if (!text) return null;
  const { before, command } = commandIn(text);
  return (
    <div class="mend">
      {before} {command && <Command text={command} />}
    </div>
  );
}
