"""kube-proxy: Services × EndpointSlices → kernel tables.

Read it in the order of the flow:

- `endpoints`: which endpoints may serve a port (readiness, policy, topology): a question a function
- `services`: at which addresses a Service answers, and what happens there → `tables.Wanted`
- `tables`: what the kernel holds, as plain values; the difference to what is wanted → `Change`
- `layout`: the fixed part of the nftables table: its sets, chains and rules
- `expressions`, `elements`, `nfnetlink`: bytes
- `kernel`: a `Change` as one transaction; `conntrack`, `announce`: what tables alone cannot do
- `proxier`: the shell: watches, batches, applies
"""
