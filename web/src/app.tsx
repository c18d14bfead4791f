// The frame of every page: where one is, how the connections stand, and the page itself.
import { Banner, State } from "./connection";
import { MapPage } from "./map/page";
import { follow, href, PAGES, type Page, page } from "./route";
import { ServicesPage } from "./services/page";
import { TrafficPage } from "./traffic/page";

const TITLES: Record<Page, string> = { traffic: "Traffic", services: "Services", map: "Map" };
const CONTENTS = { traffic: TrafficPage, services: ServicesPage, map: MapPage };

export function App() {
  const Content = CONTENTS[page.value];
  document.title = `${TITLES[page.value]} · Pilotfish`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: it hears of the links inside, keys too
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div class="frame" onClick={follow}>
      <header class="bar">
        <strong>Pilotfish</strong>
        <nav aria-label="Pages">
          {PAGES.map((each) => (
            <a href={href(each)} key={each} aria-current={each === page.value ? "page" : undefined}>
              {TITLES[each]}
            </a>
          ))}
        </nav>
        <State />
      </header>
      <Banner />
      <main>
        <Content />
      </main>
    </div>
  );
}
