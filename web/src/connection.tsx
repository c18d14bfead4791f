// How the connections stand: page to `pilotfish proxy`, and that to the cluster.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { hello, link, retryAt, status } from "./live";

const now = signal(Date.now());

/** In the header: the cluster, and how much is seen. */
export function State() {
  const rate = status.value?.entries_per_s ?? 0;
  return (
    <span class="state">
      <span class="context">{hello.value?.context}</span>
      {link.value === "open" && status.value?.connected && (
        <span class="rate">{rate.toFixed(0)} requests/s</span>
      )}
    </span>
  );
}

/** Below it: what is wrong, and what is done about it. */
export function Banner() {
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  const text = problem();
  return (
    <div role="status" aria-live="polite">
      {text && (
        <div class="banner" data-severity="error">
          {text}
        </div>
      )}
    </div>
  );
}

function problem(): string {
  switch (link.value) {
    case "lost":
      return `The connection to pilotfish proxy is lost; ${again(retryAt.value)}. If it was ended, run: pilotfish proxy`;
    case "denied":
      return "This browser's link is no longer known. Run pilotfish proxy, and open the link that it prints.";
    case "connecting":
      return "";
    case "open":
      return clusterProblem();
  }
}

function clusterProblem(): string {
  const state = status.value;
  if (!state) return "";
  if (!state.connected)
    return `The connection to the cluster is lost (${state.problem}); ${again(state.retry_at)}.`;
  const unseen = state.nodes.filter((node) => !node.connected && node.problem);
  if (unseen.length === 0) return "";
  return unseen.map((node) => `${node.name} is not seen: ${node.problem}`).join(" ");
}

function again(at: number | null): string {
  const seconds = at === null ? 0 : Math.max(0, Math.ceil((at - now.value) / 1000));
  return seconds ? `trying again in ${seconds} s` : "trying again";
}
