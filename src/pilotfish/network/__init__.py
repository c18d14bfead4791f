"""The machine's network, over netlink and setns: namespaces, links, addresses, routes, pools.

Everything speaks rtnetlink directly (`message`, `netlink`): a Pod's network takes a dozen
requests on one socket, about a millisecond, and the process carries no netlink library.
Calls block, each for far less than a millisecond unless its docstring says otherwise.
"""
