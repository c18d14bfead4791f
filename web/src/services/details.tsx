// All about one Service: what is wrong with it first.
import { useEffect, useRef } from "preact/hooks";
import type { ServicesView, ServiceView } from "../messages";
import { href } from "../route";
import { Empty } from "../ui/empty";
import * as format from "../ui/format";
import { windowWords } from "../ui/window";
import { Endpoints } from "./endpoints";
import { Facts } from "./facts";
import { Findings } from "./findings";
import { errorsOf, trafficOf } from "./links";
import { Slots } from "./slots";
import "./details.css";

interface Props {
  name: string;
  service: ServiceView | undefined;
  view: ServicesView;
  onClose: () => void;
}

export function Details({ name, service, view, onClose }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Where the list made room for this, the focus has lost its place.
  useEffect(() => {
    const lost = !document.activeElement?.checkVisibility();
    if (lost || document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <section class="service" aria-labelledby="service-name">
      <header>
        <h2 id="service-name" tabIndex={-1} ref={heading}>
          {name.split("/")[1]} <span class="place">{name.split("/")[0]}</span>
        </h2>
        <button type="button" class="button" onClick={onClose}>
          Close<span class="unseen"> and show all Services</span>
        </button>
      </header>
      {service ? <All service={service} view={view} /> : <Gone />}
    </section>
  );
}

function All({ service, view }: { service: ServiceView; view: ServicesView }) {
  return (
    <>
      <Findings findings={service.findings} />
      <Summary service={service} />
      <Facts service={service} />
      <Endpoints service={service} times={view.bucket_times} />
      <Slots service={service} />
    </>
  );
}

function Summary({ service }: { service: ServiceView }) {
  return (
    <p class="summary">
      {service.requests ? (
        <>
          <strong>{format.counted(service.requests, "request")}</strong> in {windowWords} (
          {format.rate(service.rate_per_s)}),{" "}
          <strong data-severity={service.errors ? "error" : undefined}>
            {service.errors ? format.counted(service.errors, "error") : "no errors"}
          </strong>
          {service.errors > 0 && ` (${format.share(service.errors / service.requests)})`}.
          {service.p50_us !== null &&
            ` Half of them took at most ${format.duration(service.p50_us)}, 99 of 100 at most ${format.duration(service.p99_us)}.`}
        </>
      ) : (
        <>No requests in {windowWords}.</>
      )}{" "}
      <a href={href("traffic", { filter: trafficOf(service) })}>Show its traffic</a>
      {service.errors > 0 && (
        <>
          {" · "}
          <a href={href("traffic", { filter: errorsOf(service) })}>Only the errors</a>
        </>
      )}
    </p>
  );
}

function Gone() {
  return (
    <Empty what="There is no such Service.">
      <p>It may have been deleted, or never have been. The list has those that are there now.</p>
    </Empty>
  );
}
