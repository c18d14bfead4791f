"""The cluster DNS: Services × EndpointSlices → answers."""
