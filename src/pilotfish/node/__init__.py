"""The kubelet: Pod sandbox, containers, images, probes, volumes, logs, exec, port-forward."""
