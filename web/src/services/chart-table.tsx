// The numbers behind the picture, for those who do not see it.
import { clock, count } from "../ui/format";

interface Props {
  times: readonly number[];
  parts: readonly { key: string; name: string; series: readonly number[] }[];
}

export function ChartTable({ times, parts }: Props) {
  return (
    <details class="chart-table">
      <summary>The same as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Requests over time">
        <table>
          <caption class="unseen">Requests of each endpoint over time</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              {parts.map(({ key, name }) => (
                <th key={key} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.map((time, at) => (
              <tr key={time}>
                <th scope="row">{clock(time)}</th>
                {parts.map(({ key, series }) => (
                  <td key={key}>{count(series[at] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
