"""The kubelet: Pod sandbox, containers, images, probes, volumes, logs, exec, port-forward.

A Pod's way through this package: `kubelet` sees it on a watch and wakes its `pod_worker`, which
asks `lifecycle` (pure) what to do, does it through `sandbox`, `volumes`, `images`, `oci` and
`containers`, and lets `status` (pure) say what the API server shall read.
"""
