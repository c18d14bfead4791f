"""kube-proxy: Services × EndpointSlices → kernel tables.

Read it in the order of the flow:

- `endpoints`: which endpoints may serve a port (readiness, policy, topology): a question a function
- `services`: at which addresses a Service answers, and what happens there → `fronts.Wanted`;
  `host_ports`: likewise for Pods
- `fronts`: the words for that; `tables`: the difference to what is installed → `Change`
- `layout`: the fixed part of the nftables table: its sets, chains and rules
- `expressions`, `elements`, `nfnetlink`: bytes
- `kernel`: a `Change` as one transaction; `syncer`: memory and kernel kept the same
- `conntrack`, `announce`, `health`: what tables alone cannot do
- `proxier`: the shell: watches, batches, applies
- `reading`, `explain`: the way back, from the kernel to words
- `kernel_reader`, `table_list`, `metrics`, `server`: the same for those who ask over HTTPS
"""
