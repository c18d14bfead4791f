// The endpoints of a Service: whether they are ready, and what each of them got.
import type { EndpointView, ServiceView } from "../messages";
import { href } from "../route";
import { Command } from "../ui/copy";
import * as format from "../ui/format";
import { colourName, Sample } from "../ui/series";
import { Severity } from "../ui/severity";
import { Chart } from "./chart";
import { trafficTo, tryCommand } from "./links";
import { endpointKey } from "./share";
import { useStyles } from "./styles";
import "./endpoints.css";

const MEANING_OF_P = " – p is how often equal chances give shares at least this uneven";

interface Props {
  service: ServiceView;
  times: readonly number[];
}

export function Endpoints({ service, times }: Props) {
  const styles = useStyles(service.endpoints.map(endpointKey));
  const command = tryCommand(service);
  return (
    <>
      <h3 id="endpoints">Endpoints and their shares</h3>
      {service.verdict && (
        <p class="verdict">
          <strong>Verdict:</strong> {service.verdict}
          {service.verdict.includes("p = ") && <span class="why">{MEANING_OF_P}</span>}
        </p>
      )}
      {service.endpoints.length === 0 ? (
        <p class="about">{whyNone(service)}</p>
      ) : (
        <div class="endpoints">
          <table aria-labelledby="endpoints">
            <thead>
              <tr>
                <th scope="col">Endpoint</th>
                <th scope="col" class="wide">
                  Ready
                </th>
                <th scope="col" class="wide">
                  Node
                </th>
                <th scope="col" class="share">
                  Share of connections <span class="legend">beside the equal one</span>
                </th>
                <th scope="col" class="number">
                  Requests
                </th>
                <th scope="col" class="number">
                  Errors
                </th>
                <th scope="col" class="number wide">
                  p50
                </th>
                <th scope="col" class="number wide">
                  p99
                </th>
              </tr>
            </thead>
            <tbody>
              {service.endpoints.map((endpoint) => (
                <Line
                  key={endpointKey(endpoint)}
                  service={service}
                  endpoint={endpoint}
                  style={styles.get(endpointKey(endpoint)) ?? 0}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {service.requests === 0 && command && (
        <p class="about">
          Nothing was asked of it. Try: <Command text={command} />
        </p>
      )}
      {service.requests > 0 && <Chart service={service} times={times} styles={styles} />}
    </>
  );
}

function whyNone(service: ServiceView): string {
  if (service.service_type === "ExternalName") return "None: its name is an alias of another one.";
  return "None. What is sent to the Service has nowhere to go.";
}

function Line(props: { service: ServiceView; endpoint: EndpointView; style: number }) {
  const { service, endpoint } = props;
  return (
    <tr>
      <th scope="row">
        <div class="who">
          <Sample style={props.style} />
          <a href={href("traffic", { filter: trafficTo(service, endpoint) })}>
            <span class="unseen">Show the traffic of </span>
            {endpoint.name || endpoint.ip}
          </a>
        </div>
        <div class="address">
          {endpoint.ip || "no address yet"}
          <wbr />
          {endpoint.ip !== "" && endpoint.ports.length > 0 && `:${endpoint.ports.join(",")}`}
        </div>
        <div class="narrow">
          <Readiness endpoint={endpoint} />
        </div>
      </th>
      <td class="wide">
        <Readiness endpoint={endpoint} />
      </td>
      <td class="wide node">{endpoint.node || "–"}</td>
      <td class="share">
        <ShareBar endpoint={endpoint} style={props.style} />
      </td>
      <td class="number">{format.count(endpoint.requests)}</td>
      <td class="number" data-severity={endpoint.errors ? "error" : undefined}>
        {format.count(endpoint.errors)}
      </td>
      <td class="number wide">{format.duration(endpoint.p50_us)}</td>
      <td class="number wide">{format.duration(endpoint.p99_us)}</td>
    </tr>
  );
}

function Readiness({ endpoint }: { endpoint: EndpointView }) {
  if (endpoint.gone) return <span class="gone">no endpoint any more</span>;
  if (endpoint.ready) return <span class="ready">ready</span>;
  return (
    <span class="unready">
      <Severity level="warning" bare /> {endpoint.terminating ? "terminating" : "not ready"}
      {endpoint.why && <span class="why">: {endpoint.why}</span>}
    </span>
  );
}

/** A bar of its share, and a mark where the equal share ends. */
function ShareBar({ endpoint, style }: { endpoint: EndpointView; style: number }) {
  return (
    <div class="share-bar">
      <div class="track" aria-hidden="true">
        <div
          class="fill"
          style={{ width: `${endpoint.share * 100}%`, background: `var(${colourName(style)})` }}
        />
        {endpoint.fair > 0 && <div class="fair" style={{ left: `${endpoint.fair * 100}%` }} />}
      </div>
      <span class="figures">
        <strong>{format.share(endpoint.share)}</strong>{" "}
        <span class="equal">equal: {format.share(endpoint.fair)}</span>
      </span>
    </div>
  );
}
