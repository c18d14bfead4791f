"""`make demo`: the story of Kubernetes Services, told with the commands that everybody knows.

    demo.py [--keep] [--write-tutorial]

--keep leaves the cluster up; --write-tutorial makes docs/tutorial.md of what was said and seen.

Every step checks what it sees. The first that does not hold ends the demo with exit code 1, and
says which it was.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from narrator import Narrator, StoryBroken
from pilotfish.client import invoker
from story import beginning, dashboard, machine, names, probes, services, traffic
from story.scene import CLUSTER, Scene

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "go-demo-2"
TUTORIAL = EXAMPLES.parent.parent / "docs" / "tutorial.md"
TUTORIAL_BEGIN = """# Tutorial: the story of Services

What a Kubernetes Service is, does and can get wrong, command by command. Everything below happened:
this page is the transcript of `make demo`, which checks each step. Names and addresses will differ
on your machine. Run it all with `make demo`, or type along in `examples/go-demo-2` after
`make install`; the application is described there."""
TUTORIAL_END = """## What to try next

    $ kubectl delete pod -l type=db                       # and watch its Service heal
    $ kubectl create deployment web --image=host -- python3 -m http.server 8080
    $ kubectl expose deployment web --port=80 --target-port=8080 --type=LoadBalancer
    $ pilotfish proxy                                     # look at all this in a browser
    $ pilotfish tap -A --stats                            # requests, errors, shares a Service
    $ pilotfish tables go-demo-2 --name demo              # what the kernel does with its packets
    $ pilotfish status

`pilotfish down --name demo` removes everything. [Architecture](architecture.md) goes on where this
ends."""


def tell(scene: Scene) -> None:
    """All chapters. Raises StoryBroken."""
    beginning.cluster(scene)
    beginning.pods(scene)
    services.expose(scene)
    services.service(scene)
    services.load_balancing(scene)
    services.broken_selector(scene)
    probes.readiness(scene)
    probes.liveness(scene)
    names.discovery(scene)
    names.types(scene)
    machine.port_forward(scene)
    machine.the_host(scene)
    with tempfile.TemporaryDirectory(prefix="pilotfish-demo-") as folder:
        traffic.tap(scene, Path(folder))
        dashboard.proxy(scene, Path(folder))
        traffic.capture_file(scene, Path(folder))


def main() -> int:
    """Tell the story; returns the exit code."""
    keep, write_tutorial = "--keep" in sys.argv[1:], "--write-tutorial" in sys.argv[1:]
    if os.geteuid() != 0:
        print("error: root is needed; running as a plain user; run: sudo make demo")
        return 3
    use_persons_kubeconfig()
    # Commands of the story end by Ctrl-C, also where a shell has us in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What other commands print comes in between.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.chdir(EXAMPLES)
    take_down(only_if_there=True)
    narrator = Narrator()
    try:
        tell(Scene(narrator))
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
    """The last words: commands as they can be typed."""
    print("\nThe story holds: every step did what Kubernetes documents.\n")
    if not keep:
        print("Try next, with a cluster that stays (make demo KEEP=1, or pilotfish up):\n")
        root = ""
    else:
        # The demo's programs are on the path that the Makefile made, and nowhere else.
        found = {name: Path(str(shutil.which(name))).parent for name in ("pilotfish", "kubectl")}
        print(f"The cluster is up, and kubectl points at it. Try, in {EXAMPLES}:\n")
        print(f"  export PATH={':'.join(map(str, dict.fromkeys(found.values())))}:$PATH")
        root = f"sudo {found['pilotfish']}/" if invoker.person(os.environ) else ""
    print(
        f"""\
  kubectl get svc,ep,pods -o wide            what you have just seen
  kubectl delete pod -l type=db              and watch its Service heal
  kubectl create deployment web --image=host -- python3 -m http.server 8080
  kubectl expose deployment web --port=80 --target-port=8080 --type=LoadBalancer
  pilotfish proxy                            look at all this in a browser
  pilotfish tap -A --stats                   each Service's requests, errors, shares
  {root}pilotfish tables go-demo-2 --name {CLUSTER}      what the kernel does with its packets
  {root}pilotfish status                           processes, addresses, memory
  docs/tutorial.md                           the same story, to read
"""
    )
    if keep:
        print(f"Remove everything with: {root}pilotfish down --name {CLUSTER}")


def use_persons_kubeconfig() -> None:
    """Under sudo, point kubectl and pilotfish at the file of who typed it: they go on from here."""
    behind = invoker.person(os.environ)
    if behind is not None and "KUBECONFIG" not in os.environ:
        os.environ["KUBECONFIG"] = f"{behind.pw_dir}/.kube/config"


if __name__ == "__main__":
    sys.exit(main())
