// Header fields: searched, copied, and filtered on.
import { useSignal } from "@preact/signals";
import { Copy } from "../command";
import { headerTerm } from "../filter/compose";
import { Value } from "./value";

interface Props {
  title: string;
  headers: Record<string, string>;
  /** Whose they are; null where no filter can be made of them. */
  side: "request" | "response" | null;
}

/** From so many fields on, there is a search. */
const MANY = 8;

export function Headers({ title, headers, side }: Props) {
  const search = useSignal("");
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  const wanted = search.value.toLowerCase();
  const found = all.filter(([name, value]) => `${name}: ${value}`.toLowerCase().includes(wanted));
  return (
    <section>
      <h3>
        {title} <small>{all.length}</small>
        {all.length >= MANY && (
          <input
            type="search"
            placeholder="Search"
            aria-label={`Search ${title.toLowerCase()}`}
            value={search.value}
            onInput={(event) => {
              search.value = event.currentTarget.value;
            }}
          />
        )}
        <Copy
          text={() => all.map(([name, value]) => `${name}: ${value}`).join("\n")}
          label={`Copy ${title.toLowerCase()}`}
        />
      </h3>
      <dl class="fields">
        {found.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {side ? (
                <Value
                  text={value}
                  choices={[{ label: name, term: headerTerm(side, name, value) }]}
                />
              ) : (
                value
              )}
            </dd>
          </div>
        ))}
      </dl>
      {found.length === 0 && <p class="note">None has that.</p>}
    </section>
  );
}
