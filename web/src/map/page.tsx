// The page Map: what of it is shown, and how.
import { useEffect, useMemo } from "preact/hooks";
import { followViews, map } from "../live";
import type { MapView } from "../messages";
import { change, parameters } from "../route";
import { Choice } from "../ui/choice";
import { Command } from "../ui/copy";
import { Empty } from "../ui/empty";
import { WindowChoice, windowS, windowWords } from "../ui/window";
import { AsList } from "./as-list";
import { fold, MAX_NODES } from "./fold";
import { Picture } from "./picture";
import { namespacesOf, visible } from "./visible";
import "../ui/controls.css";
import "./page.css";

const FORMS = [
  { value: "picture", text: "Picture" },
  { value: "list", text: "List" },
] as const;
type Form = (typeof FORMS)[number]["value"];

// On a phone the list says more than a tiny picture.
const NARROW = matchMedia("(max-width: 40rem)");

export function MapPage() {
  useEffect(() => {
    followViews({ services: false, map: true, window_s: windowS.value });
  }, [windowS.value]);
  useEffect(() => () => followViews({ services: false, map: false, window_s: windowS.value }), []);
  const asked = parameters.value.get("as");
  const form: Form =
    FORMS.find(({ value }) => value === asked)?.value ?? (NARROW.matches ? "list" : "picture");
  const namespace = parameters.value.get("namespace") ?? "";
  const system = parameters.value.get("system") === "1";
  const view = map.value;
  return (
    <div class="map">
      <div class="tools">
        <h1>Map</h1>
        <Choice
          label="Show as"
          name="form"
          options={FORMS}
          chosen={form}
          onChoose={(value) => change({ as: value }, true)}
        />
        <Namespaces all={namespacesOf(view?.nodes ?? [])} chosen={namespace} />
        <WindowChoice />
        <label class="tick">
          <input
            type="checkbox"
            checked={system}
            onChange={(event) => change({ system: event.currentTarget.checked ? "1" : "" }, true)}
          />
          DNS and kube-system
        </label>
      </div>
      {view ? (
        <Content view={view} form={form} namespace={namespace} system={system} />
      ) : (
        <Empty what="Waiting for the first numbers…" />
      )}
    </div>
  );
}

interface ContentProps {
  view: MapView;
  form: Form;
  namespace: string;
  system: boolean;
}

function Content({ view, form, namespace, system }: ContentProps) {
  const graph = useMemo(() => visible(view, namespace, system), [view, namespace, system]);
  const drawn = useMemo(() => fold(graph), [graph]);
  if (graph.edges.length === 0) return <Nobody all={view} namespace={namespace} system={system} />;
  if (form === "list") return <AsList graph={graph} />;
  return (
    <>
      {drawn.folded.length > 0 && (
        <p class="folded">
          More than {MAX_NODES} are too many for one picture; these namespaces are one node each:{" "}
          {drawn.folded.join(", ")}. Choose one to see what is in it.
        </p>
      )}
      <Picture key={`${namespace} ${system}`} graph={drawn} />
    </>
  );
}

function Namespaces({ all, chosen }: { all: readonly string[]; chosen: string }) {
  const names = all.includes(chosen) || !chosen ? all : [...all, chosen];
  return (
    <select
      class="field"
      aria-label="Namespace"
      value={chosen}
      onChange={(event) => change({ namespace: event.currentTarget.value }, true)}
    >
      <option value="">All namespaces</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Nobody({ all, namespace, system }: { all: MapView; namespace: string; system: boolean }) {
  const more = all.edges.length > 0 && (namespace !== "" || !system);
  return (
    <Empty
      what={`Nobody${namespace && ` in ${namespace}`} talked to anybody in ${windowWords.value}.`}
    >
      {more ? (
        <p>
          <button
            type="button"
            class="button"
            onClick={() => change({ namespace: "", system: "1" }, true)}
          >
            Show all namespaces, DNS and kube-system
          </button>
        </p>
      ) : (
        <>
          <p>
            Ask a Service, from this machine or from a Pod, and both appear here. Addresses to ask:
          </p>
          <p>
            <Command text="kubectl get services -A" />
          </p>
        </>
      )}
    </Empty>
  );
}
