"""How the captures in this folder were made, so that anyone with Linux and root can make them again.

`network`    namespaces, links and tcpdump: the building blocks
`sockets`    keepalive options, and pairs of connected sockets in two namespaces
`founding`   the founding question and what became of it
`endings`    other ways a probed connection ends
`synthetic`  what we have no machine for: macOS, from its source
`truth`      counts probes by the wire alone, the patient way; independent of the analyzer
`lab`        ninety scenarios of every kind of trouble, with the kernel's truth beside each

Traffic stays inside namespaces that a recipe makes and removes; nothing of the host is touched.
"""
