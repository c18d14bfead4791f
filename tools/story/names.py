"""Names that lead to Services, and every type of Service that they can lead to."""

from __future__ import annotations

from narrator import pods_in
from story.scene import Scene


def discovery(scene: Scene) -> None:
    n = scene.n
    n.heading(
        9,
        "Service discovery",
        """The API finds its database under the name of its Service. The kubelet has written
        the cluster's DNS into the container's resolv.conf; the DNS knows every Service.""",
    )
    client = scene.pods_of("type=api")[0]["name"]
    resolv = n.run(f"kubectl exec {client} -- cat /etc/resolv.conf")
    dns = n.ask("kubectl -n kube-system get svc kube-dns -o jsonpath='{.spec.clusterIP}'")
    n.expect(f"nameserver {dns}" in resolv, f"nameserver {dns}")
    n.expect("default.svc.cluster.local" in resolv, "the search domains")
    n.run("kubectl get svc go-demo-2-db")
    answer = n.run(f"kubectl exec {client} -- python3 /programs/lookup.py go-demo-2-db")
    n.expect(scene.service_address("go-demo-2-db") in answer, "the ClusterIP of go-demo-2-db")
    address = scene.service_address("go-demo-2-api")
    url = f"http://{address}:8080/demo/person?name=Viktor"
    answer = n.run(f"curl -s '{url}'")
    n.expect("asked go-demo-2-db: Viktor is known to" in answer, "an answer of the database")
    n.say("Scaling the database up spreads its connections too.")
    n.run("kubectl scale rs go-demo-2-db --replicas=3")
    n.run("kubectl wait pod -l type=db --for=condition=Ready", quiet=True)
    scene.wait_for_endpoints("go-demo-2-db", 3)
    scene.spread(url, "type=db")


def types(scene: Scene) -> None:
    n = scene.n
    n.heading(
        10,
        "Every type of Service",
        """ClusterIP and NodePort you have seen. A LoadBalancer gets an address from outside
        the cluster's ranges. A headless Service has no address: its name stands for all Pods.
        An ExternalName is an alias for something elsewhere.""",
    )
    n.run("kubectl get -f svc-types.yml")
    address = n.ask(
        "kubectl get svc go-demo-2-api-balanced -o jsonpath='{.status.loadBalancer.ingress[0].ip}'"
    )
    answer = n.run(f"curl -s http://{address}/demo/hello")
    n.expect(len(pods_in(answer)) == 1, "an answer on the EXTERNAL-IP")
    pods = scene.pods_of("type=api")
    client = pods[0]["name"]
    lookup = f"kubectl exec {client} -- python3 /programs/lookup.py"
    answer = n.run(f"{lookup} go-demo-2-api-headless")
    n.expect(all(pod["address"] in answer for pod in pods), "the address of every Pod, headless")
    answer = n.run(f"{lookup} _http._tcp.go-demo-2-api-headless SRV")
    n.expect(answer.count("8080") >= 3, "a port for every Pod")
    answer = n.run(f"{lookup} go-demo-2-docs CNAME")
    n.expect("kubernetes.io" in answer, "the outside name")
