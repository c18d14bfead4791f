// All Services as a table: searched, sorted, and one of them chosen.
import { useEffect, useRef } from "preact/hooks";
import type { ServicesView, ServiceView } from "../messages";
import { change, href, parameters } from "../route";
import * as format from "../ui/format";
import { Severity } from "../ui/severity";
import { WindowChoice, windowWords } from "../ui/window";
import { Heads } from "./heads";
import { addressesOf, keyOf, typeOf } from "./kinds";
import { matching, parseOrder, readiness, sorted, worst } from "./order";
import "./list.css";

export function List({ view, chosen }: { view: ServicesView; chosen: string }) {
  const search = parameters.value.get("search") ?? "";
  const namespace = parameters.value.get("namespace") ?? "";
  const order = parseOrder(parameters.value.get("sort"));
  const shown = sorted(matching(view.services, namespace, search), order);
  const table = useRef<HTMLTableElement>(null);
  useEffect(() => {
    table.current?.querySelector('[data-chosen="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <section class="service-list" aria-label="All Services">
      <div class="tools">
        <h2>Services</h2>
        <input
          class="field"
          type="search"
          aria-label="Search Services"
          placeholder="Search"
          value={search}
          onInput={(event) => change({ search: event.currentTarget.value }, true)}
        />
        <Namespaces all={view.services} chosen={namespace} />
        <WindowChoice />
      </div>
      <table ref={table} onKeyDown={moveFocus}>
        <caption class="unseen">
          {format.counted(shown.length, "Service")}, with the numbers of {windowWords}
        </caption>
        <Heads order={order} />
        <tbody>
          {shown.map((service) => (
            <Line key={keyOf(service)} service={service} chosen={keyOf(service) === chosen} />
          ))}
        </tbody>
      </table>
      {shown.length === 0 && (
        <p class="none">
          No Service is like that.{" "}
          <button
            type="button"
            class="button"
            onClick={() => change({ search: "", namespace: "" }, true)}
          >
            Show all
          </button>
        </p>
      )}
    </section>
  );
}

function Namespaces({ all, chosen }: { all: readonly ServiceView[]; chosen: string }) {
  const names = [...new Set([...all.map(({ namespace }) => namespace), chosen])].filter(Boolean);
  return (
    <select
      class="field"
      aria-label="Namespace"
      value={chosen}
      onChange={(event) => change({ namespace: event.currentTarget.value }, true)}
    >
      <option value="">All namespaces</option>
      {names.sort().map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Line({ service, chosen }: { service: ServiceView; chosen: boolean }) {
  const level = worst(service);
  const { ready, total } = readiness(service);
  const query = { ...Object.fromEntries(parameters.value), name: keyOf(service) };
  return (
    <tr data-chosen={chosen}>
      <td class="mark">{level && level !== "good" && <Severity level={level} bare />}</td>
      <th scope="row">
        <a href={href("services", query)} aria-current={chosen ? "true" : undefined}>
          {service.name}
        </a>
        <span class="place">{service.namespace}</span>
      </th>
      <td class="wide">{service.namespace}</td>
      <td class="wide">{typeOf(service)}</td>
      <td class="widest mono">
        {addressesOf(service).map((address) => (
          <div key={address}>{address}</div>
        ))}
      </td>
      <td class="widest mono">
        {service.ports.map(({ port, protocol }) => (
          <div key={`${port}/${protocol}`}>
            {port}/{protocol}
          </div>
        ))}
      </td>
      <td class="number" data-severity={severityOf(service)}>
        {service.service_type === "ExternalName" ? "–" : `${ready}/${total}`}
      </td>
      <td class="number" data-zero={service.requests === 0}>
        {format.rate(service.rate_per_s)}
      </td>
      <td
        class="number"
        data-zero={service.errors === 0}
        data-severity={service.errors ? "error" : undefined}
      >
        {format.count(service.errors)}
      </td>
      <td class="number wide">{format.duration(service.p50_us)}</td>
      <td class="number wide">{format.duration(service.p99_us)}</td>
    </tr>
  );
}

/** Of its readiness. */
function severityOf(service: ServiceView) {
  const { ready, total } = readiness(service);
  if (service.service_type === "ExternalName" || (ready === total && ready > 0)) return undefined;
  return ready ? "warning" : "error";
}

/** Arrows go from line to line, as in lists; tab does too. */
function moveFocus(event: KeyboardEvent & { currentTarget: HTMLTableElement }): void {
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("tbody a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  links[Math.min(Math.max(to, 0), links.length - 1)]?.focus();
}
