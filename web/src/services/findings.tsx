// What is noteworthy of a Service, the worst first, and what to do about it.
import type { Finding } from "../messages";
import { LEVELS, Severity } from "../ui/severity";
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
            {finding.mend && <div class="mend">{finding.mend}</div>}
          </div>
        </li>
      ))}
    </ul>
  );
}
