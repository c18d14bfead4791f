"""Streams between a client (kubectl) and a container: exec, attach and port-forward.

What travels, from the wire upwards. Every layer is a file, and every protocol layer is
sans-I/O: bytes in, events out, so that it is tested byte by byte without a socket.

    TLS (node/server.py)
     └─ http1            the request's head; a 101 answer turns the connection into one of
         ├─ spdy_frames → spdy_session            SPDY/3.1: many streams over one connection
         └─ websocket_frames
             ├─ channels                          one byte of channel number per message
             └─ spdy_frames → spdy_session        a SPDY connection tunnelled in messages

    exchange       which path of the kubelet asks for what; everything below serves it
    transport      the bytes below SPDY: a socket, or the messages of a WebSocket
    streams        what both worlds look like to the code above: read, write, close
    spdy_connection, channel_connection           the two shells that make such streams
    remote_command exec and attach over them; statuses: what the error stream says
    port_forward   connections into the Pod's network namespace over them

Which client speaks what (kubectl falls back from the first to the second):

==================  =======================================  ==========================
                    exec, attach                             port-forward
==================  =======================================  ==========================
kubectl >= 1.31     WebSocket ``v5.channel.k8s.io``          SPDY in WebSocket messages,
                                                             ``SPDY/3.1+portforward.k8s.io``
kubectl < 1.31      SPDY/3.1 ``v4.channel.k8s.io``           SPDY/3.1 ``portforward.k8s.io``
client libraries    WebSocket ``v4.channel.k8s.io``,         WebSocket ``v4.channel.k8s.io``,
                    ``base64.channel.k8s.io``                two channels per port
==================  =======================================  ==========================

Sources: SPDY Protocol draft 3.1; RFC 6455 (WebSocket); Kubernetes KEP-4006 (from SPDY to
WebSockets: v5 and the tunnel). A real API server translates WebSocket to SPDY before it
calls the kubelet; here the kubelet speaks both and the API server passes bytes.

Back-pressure: every stream has a bounded buffer. Neither SPDY as Kubernetes uses it (no
WINDOW_UPDATE is ever sent) nor the channel protocols have flow control of a single stream,
so a full buffer stops the reading of its whole connection.
"""
