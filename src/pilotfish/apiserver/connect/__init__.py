"""Requests that the API server passes on: to a kubelet, or to a Pod, Service or Node itself.

`connector.Connector.handle` is the one entrance, for the subresources log, exec, attach,
portforward and proxy. It finds out where a request goes (pure functions: containers, kubelet,
backends), then the bytes go through: `relay` for HTTP requests and their answers, `tunnel` for
connections that change their protocol (SPDY, WebSocket) and are plain bytes from then on.
"""
