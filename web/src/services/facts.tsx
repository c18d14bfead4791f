// A Service's type, addresses, ports and selector, as the API has them.
import type { PortView, ServiceView } from "../messages";
import { Command } from "../ui/copy";
import { addressesOf, clusterAddressesOf, isHeadless } from "./kinds";
import { podsCommand } from "./links";
import "./facts.css";

export function Facts({ service }: { service: ServiceView }) {
  const isAlias = service.service_type === "ExternalName";
  return (
    <dl class="facts">
      <dt>Type</dt>
      <dd>
        {service.service_type}
        {isHeadless(service) && ", headless"}
      </dd>
      <dt>{isAlias ? "Alias of" : "Addresses"}</dt>
      <dd>
        <Addresses service={service} />
      </dd>
      {service.ports.length > 0 && (
        <>
          <dt>Ports</dt>
          <dd>
            {service.ports.map((port) => (
              <Port key={`${port.port}/${port.protocol}`} port={port} />
            ))}
          </dd>
        </>
      )}
      {!isAlias && <Choosing service={service} />}
    </dl>
  );
}

/** Whom it may lead to, and how one of them is chosen. */
function Choosing({ service }: { service: ServiceView }) {
  const command = podsCommand(service);
  return (
    <>
      <dt>Selector</dt>
      <dd>
        {command ? <Command text={command} /> : "none; its endpoints are written by somebody else"}
      </dd>
      {service.affinity !== "" && service.affinity !== "None" && (
        <>
          <dt>Affinity</dt>
          <dd>{service.affinity}</dd>
        </>
      )}
      {service.balancing && !isHeadless(service) && (
        <>
          <dt>Balancing</dt>
          <dd>{service.balancing}</dd>
        </>
      )}
    </>
  );
}

function Addresses({ service }: { service: ServiceView }) {
  const own = clusterAddressesOf(service);
  const all = addressesOf(service);
  if (all.length === 0) return <>none</>;
  return (
    <>
      {all.map((address) => (
        <div key={address}>
          <span class="mono">{address}</span>
          {!own.includes(address) && service.service_type !== "ExternalName" && (
            <span class="from"> from outside</span>
          )}
        </div>
      ))}
    </>
  );
}

function Port({ port }: { port: PortView }) {
  return (
    <div>
      {port.name && <span class="from">{port.name} </span>}
      <span class="mono">
        {port.port}/{port.protocol} → {port.target_port}
      </span>
      {port.node_port > 0 && (
        <span class="from">
          {" "}
          · on every node <span class="mono">{port.node_port}</span>
        </span>
      )}
    </div>
  );
}
