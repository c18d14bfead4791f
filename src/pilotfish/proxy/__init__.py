"""kube-proxy: Services × EndpointSlices → kernel tables."""
