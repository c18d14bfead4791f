"""Every message between the dashboard's server and its page: the one source of their types.

`tools/make_messages.py` makes `web/src/messages.ts` and the schemas of the OpenAPI document of
these classes. Times are milliseconds since 1970 (UTC, with fractions), durations say their unit.
Text in them may come from strangers: it is shown as text, never as HTML.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

# --- traffic ---------------------------------------------------------------------------------

PeerKind = Literal["pod", "node", "host", "service", "external"]


class Peer(TypedDict):
    """Who an address was. namespace is "" for what has none."""

    kind: PeerKind
    name: str
    namespace: str
    ip: str
    port: int


class Row(TypedDict):
    """A line of the traffic list: as much of an entry as the list shows.

    `id` and `time` together name the entry: `GET /api/v1/entries/{id}?time=…` has all of it.
    """

    id: str
    time: float
    protocol: str
    node: str
    src: Peer
    dst: Peer
    endpoint: Peer | None
    method: str
    path: str
    summary: str
    status: str
    error: bool
    failure: str
    elapsed_us: int | None
    request_bytes: int
    response_bytes: int
    probe: bool


class Rows(TypedDict):
    """Rows of a watch, oldest first. backlog: they are history, what follows is live.

    `lost` counts rows before these that were left out because this page took them too slowly.
    A watch begins with one message of its backlog at least, even without rows. `reached` is of
    the backlog: what is before that time was not looked at (`GET /api/v1/rows` does, with it as
    `before`); None where there is nothing, and in live messages.
    """

    type: Literal["rows"]
    watch: int
    backlog: bool
    rows: list[Row]
    lost: int
    reached: float | None


class RowsPage(TypedDict):
    """Answer of `GET /api/v1/rows`: rows before a time, oldest first.

    more: there may be earlier ones. `reached` is how far back it was looked, within the time
    that somebody waits: ask on with it as `before`, also where no rows were found. None if there
    is nothing before.
    """

    rows: list[Row]
    more: bool
    reached: float | None


class FilterProblem(TypedDict):
    """A filter that means nothing. line and column count from 1; end is the column behind."""

    type: Literal["filter_problem"]
    watch: int
    message: str
    line: int
    column: int
    end: int


class Completion(TypedDict):
    """What may stand at the cursor instead of the text from offset `start` on.

    type: of its value ("string", "() -> bool"); doc: what it is, in a line.
    """

    text: str
    start: int
    type: str
    doc: str


class Completions(TypedDict):
    """Answer of `GET /api/v1/filter/completions`; problem is None for a filter that is right."""

    completions: list[Completion]
    problem: FilterProblem | None


# --- how things stand ------------------------------------------------------------------------


class NodeView(TypedDict):
    """A node's tap: whether entries come, why not, and its counters since its capture began."""

    name: str
    connected: bool
    problem: str
    packets: int
    dropped: int
    entries: int
    lost: int
    skipped: int


class Status(TypedDict):
    """How the connection to the cluster stands; sent every second and at each change.

    `retry_at` is when the next attempt is made, None while connected. `entries_per_s` is without
    probes.
    """

    type: Literal["status"]
    connected: bool
    problem: str
    retry_at: float | None
    nodes: list[NodeView]
    entries_per_s: float
    history_since: float | None
    history_bytes: int
    recording: bool


class Hello(TypedDict):
    """The first message of the server; it comes again when something of it has changed.

    version: of the server; when it is another than before, the page is old: load it again.
    """

    type: Literal["hello"]
    version: str
    context: str
    server: str
    namespaces: list[str]


# --- Services --------------------------------------------------------------------------------


class PortView(TypedDict):
    """A port of a Service; node_port 0 for none."""

    name: str
    protocol: str
    port: int
    target_port: str
    node_port: int


class EndpointView(TypedDict):
    """An endpoint, and what it got in the window.

    `why` says why it is not ready, "" if it is. A Pod that the selector matches and that has no
    address yet is here too, with `ip` "". `gone`: it is no endpoint any more, but was asked.
    `share` is its part of the Service's connections (0..1), `fair` what equal chances would have
    given it. `series` are requests per bucket, as `ServicesView.bucket_times`.
    """

    name: str
    namespace: str
    ip: str
    ports: list[int]
    node: str
    ready: bool
    terminating: bool
    gone: bool
    why: str
    requests: int
    errors: int
    connections: int
    share: float
    fair: float
    p50_us: int | None
    p99_us: int | None
    series: list[int]


class SlotsView(TypedDict):
    """What a node's kernel holds for one address of a Service, slot by slot.

    front: `10.96.3.4:80/TCP`; slots: `10.244.0.7:8080`; rule: how one is chosen, or what else
    happens (`random`, `round-robin`, `reject`, `drop`; `none`: the kernel does not know the front).
    `external` fronts count only for clients outside the node and its Pods. `drift` says how the
    kernel differs from what the node's proxy wrote, "" for nowhere.
    """

    node: str
    front: str
    rule: str
    slots: list[str]
    external: bool
    drift: str


class UnreadKernel(TypedDict):
    """A node whose kernel could not be read, and why."""

    node: str
    why: str


class Finding(TypedDict):
    """What is noteworthy of a Service, and what to do about it ("" for nothing)."""

    severity: Literal["good", "note", "warning", "error"]
    what: str
    mend: str


class ServiceView(TypedDict):
    """A Service and what it was asked in the window."""

    name: str
    namespace: str
    service_type: str
    cluster_ips: list[str]
    external_addresses: list[str]
    ports: list[PortView]
    selector: dict[str, str]
    affinity: str
    balancing: str
    endpoints: list[EndpointView]
    slots: list[SlotsView]
    requests: int
    errors: int
    rate_per_s: float
    p50_us: int | None
    p99_us: int | None
    verdict: str
    findings: list[Finding]


class ServicesView(TypedDict):
    """All Services; sent every second to those who follow them."""

    type: Literal["services"]
    window_s: int
    bucket_times: list[float]
    services: list[ServiceView]
    unread: list[UnreadKernel]


# --- the map ---------------------------------------------------------------------------------


class MapNode(TypedDict):
    """A workload (Pods by owner), a Service, or somebody outside. id is stable over time."""

    id: str
    kind: Literal["workload", "service", "node", "host", "external"]
    owner_kind: str
    name: str
    namespace: str
    pods: int


class MapEdge(TypedDict):
    """Requests from one to the other in the window; filter shows just these in the list."""

    source: str
    target: str
    protocols: list[str]
    requests: int
    errors: int
    rate_per_s: float
    p50_us: int | None
    p99_us: int | None
    filter: str


class MapView(TypedDict):
    """Who talks to whom; sent every second to those who follow it."""

    type: Literal["map"]
    window_s: int
    nodes: list[MapNode]
    edges: list[MapEdge]


# --- what the page says ----------------------------------------------------------------------


class Watch(TypedDict):
    """Show traffic; replaces the watch before.

    `watch` numbers it; rows carry that number. `since` and `until` are "", a duration back from
    now ("5m"), or RFC 3339; with `until` nothing live follows. `limit` bounds the history that
    is sent before (the newest).
    """

    type: Literal["watch"]
    watch: int
    filter: str
    since: str
    until: str
    limit: int
    probes: bool


class Follow(TypedDict):
    """Which of the other views to send, with numbers of the last `window_s` seconds."""

    type: Literal["follow"]
    services: bool
    map: bool
    window_s: int


ServerMessage = Hello | Status | Rows | FilterProblem | ServicesView | MapView
ClientMessage = Watch | Follow


# --- entries, as docs/reference/entries.md has them ------------------------------------------


class PodRef(TypedDict):
    """A Pod in an entry's peer."""

    name: str
    namespace: str
    labels: dict[str, str]
    node: str
    owner: NotRequired[OwnerRef]


class OwnerRef(TypedDict):
    """Whose Pod it is: the Deployment rather than its ReplicaSet."""

    kind: str
    name: str


class ServiceRef(TypedDict):
    """A Service in an entry's peer."""

    name: str
    namespace: str
    labels: dict[str, str]
    type: str
    port: str | int


class NodeRef(TypedDict):
    """A node in an entry's peer."""

    name: str


class EntryPeer(TypedDict):
    """What an address was at that moment."""

    ip: str
    port: int
    kind: PeerKind
    name: str
    pod: NotRequired[PodRef]
    service: NotRequired[ServiceRef]
    node: NotRequired[NodeRef]


class Timing(TypedDict):
    """Parts of an entry's time, in microseconds."""

    connect: int | None
    wait: int | None
    transfer: int | None


class Bytes(TypedDict):
    """Bytes on the wire."""

    request: int
    response: int


class LookUp(TypedDict):
    """The DNS look-up that led the client to the address."""

    name: str
    answer: str
    id: str


class Connection(TypedDict):
    """The connection of an entry, as it stood when the entry was made."""

    id: str
    first: bool
    whole: bool
    state: str
    packets: Bytes
    bytes: Bytes


class EntryMessage(TypedDict):
    """A whole entry. request and response: fields by protocol, or null."""

    id: str
    timestamp: str
    protocol: str
    node_name: str
    src: EntryPeer
    dst: EntryPeer
    endpoint: NotRequired[EntryPeer]
    dns: NotRequired[LookUp]
    probe: bool
    method: NotRequired[str]
    url: NotRequired[str]
    path: NotRequired[str]
    status_code: NotRequired[int]
    status: str
    error: bool
    summary: str
    failure: str
    elapsed_time: int | None
    timing: Timing
    bytes: Bytes
    conn: Connection
    request: dict[str, object] | None
    response: dict[str, object] | None


class EntryDetails(TypedDict):
    """Answer of `GET /api/v1/entries/{id}`: an entry, and who else could have been chosen."""

    entry: EntryMessage
    peers: list[EndpointView]


class EntriesPage(TypedDict):
    """Answer of `GET /api/v1/entries`: entries, oldest first.

    `next` is for the parameter `after`, and asks for what comes behind the last of them.
    """

    entries: list[EntryMessage]
    next: str


class Problem(TypedDict):
    """What is wrong, where, and what to do about it."""

    what: str
    where: str
    mend: str


class ProblemAnswer(TypedDict):
    """Answer of every request that failed."""

    error: Problem
