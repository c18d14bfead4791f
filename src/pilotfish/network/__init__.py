"""Linux networking through netlink: namespaces, veth, bridges, routes, address pools."""
