// Instead of the list, when there is nothing in it: why, and what to do.
import { filterProblem, hello, link, status } from "../live";
import { Command } from "./command";
import { ask, askAgain, isLive, question } from "./question";
import { begun, cleared, older, paused } from "./rows";

import "./empty.css";

export function Empty() {
  return <div class="empty">{reason()}</div>;
}

function reason() {
  const { filter, since, until } = question.value;
  if (link.value === "denied") return <p>Nothing is shown without a valid link.</p>;
  if (link.value !== "open") return <p>Connecting…</p>;
  if (filterProblem.value)
    return <p>This filter means nothing; see what is wrong with it above.</p>;
  if (!begun.value) return <p>Looking into the history…</p>;
  if (paused.value) return <p>Paused. What came since waits: resume to see it.</p>;
  if (cleared.value) return <Cleared />;
  if (filter) return <Unmatched />;
  if (!isLive.value || since) {
    return (
      <>
        <h2>Nothing in this time range</h2>
        <p>{since && until ? `Between ${since} and ${until}` : "So far"} nothing was recorded.</p>
        <Button onClick={() => ask({ since: "", until: "" })}>Show what happens now</Button>
      </>
    );
  }
  if (status.value && !status.value.connected) {
    return (
      <>
        <h2>Not connected to the cluster</h2>
        <p>Is it up? This starts it, and the page goes on by itself:</p>
        <Command text="pilotfish up" />
      </>
    );
  }
  return <Quiet />;
}

function Cleared() {
  return (
    <>
      <h2>Cleared</h2>
      <p>New requests appear here; those before are in the history.</p>
      <Button onClick={askAgain}>Show them again</Button>
    </>
  );
}

function Unmatched() {
  const { since, until } = question.value;
  if (older.value === "loading") return <p>Nothing yet; looking further back in the history…</p>;
  return (
    <>
      <h2>Nothing matches the filter</h2>
      <p>
        {isLive.value ? "New requests are shown as soon as they match." : "Not in this time range."}
      </p>
      <p class="buttons">
        <Button onClick={() => ask({ filter: "" })}>Remove the filter</Button>
        {!since && !until && (
          <Button onClick={() => ask({ since: "1h" })}>Look an hour back</Button>
        )}
      </p>
    </>
  );
}

function Quiet() {
  const context = hello.value?.context;
  const where = context ? `--context ${context} ` : "";
  return (
    <>
      <h2>No traffic yet</h2>
      <p>Requests between Pods, Services and the outside appear here as they happen. Try one:</p>
      <Command
        text={`kubectl ${where}run hello --rm -i --restart=Never --image=host -- curl -sk https://kubernetes.default/version`}
      />
      <p>Probes of the kubelet are hidden; there may be some.</p>
      <Button onClick={() => ask({ probes: true })}>Show probes</Button>
    </>
  );
}

function Button({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <button type="button" class="button" onClick={onClick}>
      {children}
    </button>
  );
}
