// The page Traffic: what is asked above, the list, and beside it what was chosen.
import { useEffect } from "preact/hooks";
import { filterProblem } from "../live";
import { Details } from "./details/panel";
import { Empty } from "./empty";
import { FilterInput } from "./filter/input";
import { FilterMenu } from "./filter/menu";
import { Help, help } from "./help";
import { onShortcut } from "./keys";
import { List } from "./list/list";
import { NewRows } from "./newrows";
import { chosen, start } from "./question";
import { begun, rows, version } from "./rows";
import { Toolbar } from "./toolbar";
import "./page.css";

let started = false;

export function TrafficPage() {
  useEffect(() => {
    if (!started) start();
    started = true;
    addEventListener("keydown", onShortcut);
    return () => removeEventListener("keydown", onShortcut);
  }, []);
  return (
    <div class="traffic" data-details={chosen.value !== "" || undefined}>
      <h1 class="unseen">Traffic</h1>
      <div class="asked">
        <FilterInput />
        <Toolbar />
      </div>
      <section class="found" aria-label="Requests" aria-busy={!begun.value && !filterProblem.value}>
        <Found />
        <NewRows />
      </section>
      {chosen.value !== "" && <Details name={chosen.value} key="details" />}
      <FilterMenu />
      {help.value && <Help />}
    </div>
  );
}

function Found() {
  version.value;
  return rows.size > 0 ? <List label="Requests, the newest at the bottom" /> : <Empty />;
}
