// The page Services: the list of all, and the one that is chosen.
import { useEffect } from "preact/hooks";
import { followViews, services } from "../live";
import { change, parameters } from "../route";
import { Command } from "../ui/copy";
import { Empty } from "../ui/empty";
import { windowS } from "../ui/window";
import { Details } from "./details";
import { keyOf } from "./kinds";
import { List } from "./list";
import "../ui/controls.css";
import "./page.css";

export function ServicesPage() {
  useEffect(() => {
    followViews({ services: true, map: false, window_s: windowS.value });
  }, [windowS.value]);
  useEffect(() => () => followViews({ services: false, map: false, window_s: windowS.value }), []);
  const view = services.value;
  if (!view) return <Empty what="Waiting for the first numbers…" />;
  if (view.services.length === 0) return <NoServices />;
  const chosen = parameters.value.get("name") ?? "";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears keys of what is inside
    <div class="services" data-chosen={chosen !== ""} onKeyDown={chosen ? onKey : undefined}>
      <h1 class="unseen">Services</h1>
      <List view={view} chosen={chosen} />
      {chosen && (
        <Details
          key={chosen}
          name={chosen}
          service={view.services.find((each) => keyOf(each) === chosen)}
          view={view}
          onClose={close}
        />
      )}
    </div>
  );
}

function onKey(event: KeyboardEvent): void {
  const written = (event.target as Element).closest("input, select");
  if (event.key === "Escape" && !event.defaultPrevented && !written) close();
}

/** Show the list alone; the focus goes to the Service in it that was shown. */
function close(): void {
  const line = document.querySelector<HTMLElement>(".service-list [aria-current]");
  change({ name: "" });
  // Where there was room for one of them only, the list comes back with the next frame.
  requestAnimationFrame(() => line?.focus());
}

function NoServices() {
  return (
    <Empty what="The cluster has no Services yet.">
      <p>Run something, and give it an address:</p>
      <p>
        <Command text="kubectl expose deployment NAME --port=80 --target-port=8080" />
      </p>
    </Empty>
  );
}
