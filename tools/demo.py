"""`make demo`: the story of Kubernetes Services, told with the commands that everybody knows.

    demo.py [--keep] [--write-tutorial]

--keep leaves the cluster up; --write-tutorial makes docs/tutorial.md of what was said and seen.

Every step checks what it sees. The first that does not hold ends the demo with exit code 1, and
says which it was.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from narrator import Narrator, StoryBroken, pods_in

CLUSTER = "demo"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "go-demo-2"
REQUESTS = 60
TUTORIAL = EXAMPLES.parent.parent / "docs" / "tutorial.md"
TUTORIAL_BEGIN = """# Tutorial: the story of Services

What a Kubernetes Service is, does and can get wrong, command by command. Everything below happened:
this page is the transcript of `make demo`, which checks each step. Names and addresses will differ
on your machine. Run it all with `make demo`, or type along in `examples/go-demo-2` after
`pip install .`; the application is described there."""
TUTORIAL_END = """## What to try next

    $ kubectl delete pod -l type=db                       # and watch its Service heal
    $ kubectl create deployment web --image=host -- python3 -m http.server 8080
    $ kubectl expose deployment web --port=80 --target-port=8080 --type=LoadBalancer
    $ pilotfish tap -A --stats                            # requests, errors, shares a Service
    $ pilotfish tables go-demo-2 --name demo              # what the kernel does with its packets
    $ pilotfish status

`pilotfish down --name demo` removes everything. [Architecture](architecture.md) goes on where this
ends."""
FORWARDED_PORT = 3000


class Demo:
    """The steps, in the order of the tutorial."""

    def __init__(self, narrator: Narrator) -> None:
        self.n = narrator
        self.host = ""
        self.nodes: list[str] = []

    def tell(self) -> None:
        """All steps. Raises StoryBroken."""
        self.cluster()
        self.pods()
        self.expose()
        self.service()
        self.load_balancing()
        self.broken_selector()
        self.readiness()
        self.liveness()
        self.discovery()
        self.types()
        self.port_forward()
        self.the_host()
        with tempfile.TemporaryDirectory(prefix="pilotfish-demo-") as folder:
            self.tap(Path(folder))

    def cluster(self) -> None:
        n = self.n
        n.heading(
            1,
            "A cluster in one command",
            """`up` returns when Services answer. There is no Docker and no virtual machine: a
            node is a network namespace of this machine, and `kubectl` is pointed at the
            cluster.""",
        )
        n.run(f"pilotfish up --name {CLUSTER} --nodes 2", timeout_s=120)
        nodes = n.run("kubectl get nodes -o wide")
        n.expect(nodes.count(" Ready ") == 2, "two Ready nodes")
        status = json.loads(n.ask(f"pilotfish status --name {CLUSTER} -o json"))[0]
        self.host = status["hostAddress"]
        self.nodes = [node["address"] for node in status["nodes"]]

    def pods(self) -> None:
        n = self.n
        n.heading(
            2,
            "Pods with addresses of their own",
            """ReplicaSet go-demo-2 runs an API and its database in every Pod. Each Pod is a
            network namespace with an address that is unique in the cluster.""",
        )
        n.run("kubectl create -f programs.yml -f go-demo-2.yml")
        n.run(
            "kubectl wait pod -l service=go-demo-2,type=backend --for=condition=Ready", quiet=True
        )
        n.run("kubectl get pods -o wide")
        pods = self.pods_of("service=go-demo-2,type=backend")
        n.expect(len(pods) == 2, "two Pods")
        n.expect(len({pod["address"] for pod in pods}) == 2, "an address for each Pod")
        n.expect(len({pod["node"] for pod in pods}) == 2, "the Pods on different nodes")
        one, other = pods
        n.say("Containers of one Pod share it: the API reaches its database on localhost.")
        answer = n.run(f"kubectl exec {one['name']} -c api -- curl -s localhost:28017")
        n.expect(pods_in(answer) == [one["name"]], "the database of the same Pod")
        n.say(
            """Pods reach Pods of the other node without NAT: the answer says whom the server
            sees."""
        )
        url = f"http://{other['address']}:8080/demo/hello"
        answer = n.run(f"kubectl exec {one['name']} -c api -- curl -s {url}")
        n.expect(f"you are {one['address']}" in answer, "the client Pod's own address")
        n.say("And so does this machine.")
        answer = n.run(f"curl -s {url}")
        n.expect(f"you are {self.host}" in answer, f"{self.host} as the client")

    def expose(self) -> None:
        n = self.n
        n.heading(
            3,
            "Expose the ReplicaSet",
            """Pods come and go, a Service stays. This one takes its selector from the ReplicaSet,
            and type NodePort opens a port on every node, wherever the Pods are.""",
        )
        n.run(
            "kubectl expose rs go-demo-2 --name=go-demo-2-svc --target-port=28017 --type=NodePort"
        )
        n.run("kubectl get svc go-demo-2-svc")
        port = n.ask("kubectl get svc go-demo-2-svc -o jsonpath='{.spec.ports[0].nodePort}'")
        for node in self.nodes:
            answer = n.run(f"curl -s http://{node}:{port}/")
            n.expect(len(pods_in(answer)) == 1, f"an answer on node {node}")

    def service(self) -> None:
        n = self.n
        n.heading(
            4,
            "A Service from a file",
            """The usual way is a manifest. A Service's endpoints are the addresses of the Pods that
            its selector matches and that are ready.""",
        )
        n.run("kubectl create -f svc.yml")
        n.run("kubectl get -f svc.yml")
        self.wait_for_endpoints("go-demo-2", 2)
        n.run("kubectl get ep go-demo-2 -o yaml 2>/dev/null", lines=40)
        described = n.run("kubectl describe svc go-demo-2")
        for pod in self.pods_of("service=go-demo-2,type=backend"):
            n.expect(f"{pod['address']}:28017" in described, f"{pod['name']} in the endpoints")
        answer = n.run(f"curl -s http://{self.nodes[1]}:30001/")
        n.expect(len(pods_in(answer)) == 1, "an answer on the NodePort that the file names")

    def load_balancing(self) -> None:
        n = self.n
        n.heading(
            5,
            "Load balancing",
            """Ask the ClusterIP again and again. Each connection picks a Pod at random, in the
            kernel of the node: about equal shares. No process stands between client and Pod.""",
        )
        address = self.service_address("go-demo-2")
        label = "service=go-demo-2,type=backend"
        self.spread(f"http://{address}:28017/", label)
        n.say("What the kernel of a node does with such a packet, in words:")
        said = n.run(f"pilotfish tables go-demo-2 --name {CLUSTER}")
        n.expect("one of 2 endpoints" in said, "both Pods in the kernel's tables")
        n.say("The same from inside a Pod, by name.")
        client = self.pods_of(label)[0]["name"]
        self.spread("http://go-demo-2:28017/", label, f"kubectl exec {client} -c api -- ")
        n.say(
            """Strictly one after the other is a choice, made with an annotation. Here are three
            replicas of the API on its own, behind a Service that has it."""
        )
        n.run("kubectl apply -f go-demo-2-db.yml -f go-demo-2-api.yml -f svc-types.yml")
        n.run("kubectl wait pod -l service=go-demo-2 --for=condition=Ready", quiet=True)
        self.wait_for_endpoints("go-demo-2-api-round-robin", 3)
        n.run(
            "kubectl get svc go-demo-2-api-round-robin "
            "-o jsonpath='{.metadata.annotations.pilotfish\\.dev/load-balancing}'"
        )
        address = self.service_address("go-demo-2-api-round-robin")
        answers = n.run(f"for i in {{1..9}}; do curl -s http://{address}:8080/demo/hello; done")
        pods = pods_in(answers)
        n.expect(len(pods) == 9 and len(set(pods[:3])) == 3, "three different Pods")
        n.expect(pods[:3] == pods[3:6] == pods[6:], "A, B, C, A, B, C")

    def broken_selector(self) -> None:
        n = self.n
        n.heading(
            6,
            "A selector that matches nothing",
            """A Service finds its Pods by their labels. If they do not match, it has no endpoints:
            the most common fault of all. The connection is refused at once, it does not hang.""",
        )
        address = self.service_address("go-demo-2")
        self.edit("go-demo-2", "service: go-demo-2", "service: go-demo-3")
        self.wait_for_endpoints("go-demo-2", 0)
        n.run("kubectl get ep go-demo-2 2>/dev/null")
        n.until(
            "the connection is refused",
            lambda: n.ask(f"curl -s -m 2 http://{address}:28017/; echo $?") == "7",
        )
        answer = n.run(f"curl -sS -m 5 http://{address}:28017/", fails=True)
        n.expect("timed out" not in answer, "a refusal, no time-out")
        n.say("And back.")
        self.edit("go-demo-2", "service: go-demo-3", "service: go-demo-2")
        self.wait_for_endpoints("go-demo-2", 2)
        n.run("kubectl get ep go-demo-2 2>/dev/null")
        n.until("it answers", lambda: bool(pods_in(n.ask(f"curl -s http://{address}:28017/"))))
        n.run(f"curl -s http://{address}:28017/")

    def readiness(self) -> None:
        n = self.n
        n.heading(
            7,
            "A Pod that is not ready gets no request",
            """Tell one API Pod to fail its readinessProbe. It leaves the endpoints and gets no
            request, but it keeps running.""",
        )
        pods = self.pods_of("type=api")
        away = pods[0]
        n.run(f"curl -s -X POST 'http://{away['address']}:8080/ready?value=no'")
        self.wait_for_endpoints("go-demo-2-api", 2)
        n.run("kubectl get pods -l type=api")
        address = self.service_address("go-demo-2-api")
        counts = self.spread(f"http://{address}:8080/demo/hello", "type=api", check=False)
        n.expect(counts[away["name"]] == 0, f"no request for {away['name']}")
        n.expect(sum(counts.values()) == REQUESTS, "an answer to every request")
        n.say("It comes back when the probe passes.")
        n.run(f"curl -s -X POST 'http://{away['address']}:8080/ready?value=yes'")
        self.wait_for_endpoints("go-demo-2-api", 3)
        self.spread(f"http://{address}:8080/demo/hello", "type=api")

    def liveness(self) -> None:
        n = self.n
        n.heading(
            8,
            "A container that is not alive is restarted",
            """Tell it to fail its livenessProbe, twice. Its container is restarted; the Pod stays,
            with its address.""",
        )
        pod = self.pods_of("type=api")[0]
        n.run(f"curl -s -X POST 'http://{pod['address']}:8080/alive?value=no'")
        restarts = (
            f"kubectl get pod {pod['name']} "
            "-o jsonpath='{.status.containerStatuses[0].restartCount}'"
        )
        n.until("the container is restarted", lambda: n.ask(restarts) == "1", timeout_s=60)
        n.run(f"kubectl wait pod {pod['name']} --for=condition=Ready", quiet=True)
        n.run("kubectl get pods -l type=api -o wide")
        n.expect(
            any(one == pod for one in self.pods_of("type=api")), "the same Pod at the same address"
        )
        n.run(f"kubectl events --for pod/{pod['name']} --types=Warning", lines=5)

    def discovery(self) -> None:
        n = self.n
        n.heading(
            9,
            "Service discovery",
            """The API finds its database under the name of its Service. The kubelet has written
            the cluster's DNS into the container's resolv.conf; the DNS knows every Service.""",
        )
        client = self.pods_of("type=api")[0]["name"]
        resolv = n.run(f"kubectl exec {client} -- cat /etc/resolv.conf")
        dns = n.ask("kubectl -n kube-system get svc kube-dns -o jsonpath='{.spec.clusterIP}'")
        n.expect(f"nameserver {dns}" in resolv, f"nameserver {dns}")
        n.expect("default.svc.cluster.local" in resolv, "the search domains")
        n.run("kubectl get svc go-demo-2-db")
        answer = n.run(f"kubectl exec {client} -- python3 /programs/lookup.py go-demo-2-db")
        n.expect(self.service_address("go-demo-2-db") in answer, "the ClusterIP of go-demo-2-db")
        address = self.service_address("go-demo-2-api")
        url = f"http://{address}:8080/demo/person?name=Viktor"
        answer = n.run(f"curl -s '{url}'")
        n.expect("asked go-demo-2-db: Viktor is known to" in answer, "an answer of the database")
        n.say("Scaling the database up spreads its connections too.")
        n.run("kubectl scale rs go-demo-2-db --replicas=3")
        n.run("kubectl wait pod -l type=db --for=condition=Ready", quiet=True)
        self.wait_for_endpoints("go-demo-2-db", 3)
        self.spread(url, "type=db")

    def types(self) -> None:
        n = self.n
        n.heading(
            10,
            "Every type of Service",
            """ClusterIP and NodePort you have seen. A LoadBalancer gets an address from outside
            the cluster's ranges. A headless Service has no address: its name stands for all Pods.
            An ExternalName is an alias for something elsewhere.""",
        )
        n.run("kubectl get -f svc-types.yml")
        address = n.ask(
            "kubectl get svc go-demo-2-api-balanced "
            "-o jsonpath='{.status.loadBalancer.ingress[0].ip}'"
        )
        answer = n.run(f"curl -s http://{address}/demo/hello")
        n.expect(len(pods_in(answer)) == 1, "an answer on the EXTERNAL-IP")
        pods = self.pods_of("type=api")
        client = pods[0]["name"]
        lookup = f"kubectl exec {client} -- python3 /programs/lookup.py"
        answer = n.run(f"{lookup} go-demo-2-api-headless")
        n.expect(
            all(pod["address"] in answer for pod in pods), "the address of every Pod, headless"
        )
        answer = n.run(f"{lookup} _http._tcp.go-demo-2-api-headless SRV")
        n.expect(answer.count("8080") >= 3, "a port for every Pod")
        answer = n.run(f"{lookup} go-demo-2-docs CNAME")
        n.expect("kubernetes.io" in answer, "the outside name")

    def port_forward(self) -> None:
        n = self.n
        n.heading(
            11,
            "Port-forward",
            "For the time of one command, a port of this machine leads to a Service.",
        )
        command = (
            "nohup kubectl port-forward service/go-demo-2-api --address 0.0.0.0 "
            f"{FORWARDED_PORT}:8080"
        )
        n.show_command(f"{command} > /dev/null 2>&1 &")
        print()
        forward = subprocess.Popen(
            command.split(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ},
        )
        try:
            url = f"http://{self.host}:{FORWARDED_PORT}/demo/hello"
            n.until("the port is open", lambda: bool(n.ask(f"curl -s {url}")), timeout_s=15)
            answer = n.run(f"curl -s {url}")
            n.expect(len(pods_in(answer)) == 1, "an answer on the forwarded port")
        finally:
            forward.terminate()
            forward.wait()

    def the_host(self) -> None:
        n = self.n
        n.heading(
            12,
            "Who is asking?",
            """This machine has an address in the cluster. It is the source of its requests, and
            what a traffic viewer shows.""",
        )
        answer = n.run(f"ifconfig | grep {self.host}")
        n.expect(self.host in answer, f"{self.host} on this machine")
        pod = self.pods_of("type=api")[0]
        answer = n.run(f"curl -s http://{pod['address']}:8080/demo/hello")
        n.expect(f"you are {self.host}" in answer, f"{self.host} as the client")

    def tap(self, folder: Path) -> None:
        n = self.n
        n.heading(
            13,
            "See every request",
            """The tap shows each request as it happens, once: who asked, which Service, and the Pod
            that the kernel chose. It writes the packets down as well.""",
        )
        service = self.service_address("go-demo-2-api")
        n.show_command("pilotfish tap -A --write requests.pcapng")
        print()
        lines = folder / "lines"
        with lines.open("w") as out:
            tap = subprocess.Popen(
                ["pilotfish", "tap", "-A", "--write", str(folder / "requests.pcapng")],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            try:
                hello = f"http://{service}:8080/demo/hello"
                n.until(
                    "the tap sees a request",
                    lambda: bool(n.ask(f"curl -s {hello}")) and "/demo/hello" in lines.read_text(),
                )
                n.run(f'for i in 1 2 3; do curl -s "{hello}"; done', quiet=True)
                n.run(f'curl -s "http://{service}:8080/demo/person?name=Viktor"', quiet=True)
                # The API asks its database on behalf of this one: look-up, question, answer.
                n.until("the tap sees both hops", lambda: lines.read_text().count("Viktor") >= 2)
            finally:
                tap.send_signal(signal.SIGINT)
                tap.wait()
        n.say("What the tap said meanwhile:")
        said = lines.read_text()
        n.quote("\n".join(said.splitlines()[-8:]))
        n.expect("host → default/go-demo-2-api → default/go-demo-2-api-" in said, "the Pod chosen")
        n.expect("default/go-demo-2-db → default/go-demo-2-db-" in said, "the second hop")

        n.heading(
            14,
            "The same as a capture file",
            """requests.pcapng opens in Wireshark, tshark and tcpdump; it carries the names of the
            addresses, and each request's line as a comment. The tap reads it too.""",
        )
        answer = n.run(
            f"pilotfish tap --read {folder}/requests.pcapng --filter 'path == \"/demo/person\"'",
            shown="pilotfish tap --read requests.pcapng --filter 'path == \"/demo/person\"'",
        )
        n.expect(f"→ {service}" in answer, "the request that was captured")

    def pods_of(self, labels: str) -> list[dict[str, str]]:
        """Name, address and node of the running Pods with these labels, by name."""
        listed = json.loads(self.n.ask(f"kubectl get pods -l {labels} -o json"))
        return [
            {
                "name": pod["metadata"]["name"],
                "address": pod["status"].get("podIP", ""),
                "node": pod["spec"].get("nodeName", ""),
            }
            for pod in listed["items"]
            if "deletionTimestamp" not in pod["metadata"]
        ]

    def service_address(self, name: str) -> str:
        return self.n.ask(f"kubectl get svc {name} -o jsonpath='{{.spec.clusterIP}}'")

    def wait_for_endpoints(self, service: str, count: int) -> None:
        path = "{.endpoints[?(@.conditions.ready==true)].addresses[0]}"
        command = (
            f"kubectl get endpointslices -l kubernetes.io/service-name={service} "
            f"-o jsonpath='{{range .items[*]}}{path} {{end}}'"
        )
        self.n.until(
            f"{service} has {count} ready endpoints",
            lambda: len(self.n.ask(command).split()) == count,
        )

    def edit(self, service: str, old: str, new: str) -> None:
        """`kubectl edit`, with an editor that needs no hands."""
        self.n.run(f"KUBE_EDITOR='sed -i \"s/{old}/{new}/\"' kubectl edit svc {service}")

    def spread(
        self, url: str, labels: str, prefix: str = "", *, check: bool = True
    ) -> Counter[str]:
        """Ask again and again and show which Pod answered how often."""
        n = self.n
        loop = f'for i in $(seq {REQUESTS}); do curl -s "{url}"; done'
        command = f"{prefix}sh -c '{loop}'" if prefix else loop
        answers = n.run(command, quiet=True)
        pods = [pod["name"] for pod in self.pods_of(labels)]
        counts = Counter(pod for pod in pods_in(answers) if pod in pods)
        n.chart(counts, pods)
        if check:
            n.expect(sum(counts.values()) == REQUESTS, "an answer to every request")
            fair = REQUESTS / len(pods)
            # Five standard deviations of a fair choice: it fails by chance once in a million.
            margin = 5 * (fair * (1 - 1 / len(pods))) ** 0.5
            for pod in pods:
                n.expect(abs(counts[pod] - fair) <= margin, f"about {fair:.0f} requests for {pod}")
        return counts


def main() -> int:
    """Tell the story; returns the exit code."""
    keep, write_tutorial = "--keep" in sys.argv[1:], "--write-tutorial" in sys.argv[1:]
    if os.geteuid() != 0:
        print("error: root is needed; running as a plain user; run: sudo -E make demo")
        return 3
    # What other commands print comes in between.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.chdir(EXAMPLES)
    take_down(only_if_there=True)
    narrator = Narrator()
    try:
        Demo(narrator).tell()
    except StoryBroken as error:
        print(f"\nerror: the story does not hold in {narrator.step}; {error}; ", end="")
        print(
            f"look with: pilotfish logs --name {CLUSTER} (make demo KEEP=1 leaves the cluster up)"
        )
        print(narrator.ask("kubectl get pods -A -o wide 2>&1; kubectl events --types=Warning 2>&1"))
        if not keep:
            take_down(only_if_there=False)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted")
        if not keep:
            take_down(only_if_there=False)
        return 130
    if write_tutorial:
        TUTORIAL.write_text(
            "\n\n".join([TUTORIAL_BEGIN, *narrator.transcript, TUTORIAL_END]) + "\n"
        )
    say_what_next(keep)
    if not keep:
        take_down(only_if_there=False)
    return 0


def take_down(*, only_if_there: bool) -> None:
    """Remove the demo's cluster."""
    known = subprocess.run(
        ["pilotfish", "status", "--name", CLUSTER], capture_output=True, check=False
    )
    if only_if_there and known.returncode != 0:
        return
    print()
    subprocess.run(["pilotfish", "down", "--name", CLUSTER], check=False)


def say_what_next(keep: bool) -> None:
    """The last words."""
    print("\nThe story holds: every step did what Kubernetes documents.\n")
    if keep:
        print(f"The cluster is up, and kubectl points at it. Try, in {EXAMPLES}:")
    else:
        print("Try next, with a cluster that stays (make demo KEEP=1, or pilotfish up):")
    print(
        f"""
  kubectl get svc,ep,pods -o wide            what you have just seen
  kubectl delete pod -l type=db              and watch its Service heal
  kubectl create deployment web --image=host -- python3 -m http.server 8080
  kubectl expose deployment web --port=80 --target-port=8080 --type=LoadBalancer
  pilotfish tap -A --stats                   each Service's requests, errors, shares
  pilotfish tables go-demo-2 --name {CLUSTER}      what the kernel does with its packets
  pilotfish status                           processes, addresses, memory
  docs/tutorial.md                           the same story, to read
"""
    )
    if keep:
        print(f"Remove everything with: pilotfish down --name {CLUSTER}")


if __name__ == "__main__":
    sys.exit(main())
