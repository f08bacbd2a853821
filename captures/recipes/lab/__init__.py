"""The lab: scenarios of every kind of trouble that keepalive meets, each captured with the kernel's own truth.

`python -m captures.recipes lab --out DIR [--only NAME...]` plays them, every one in a process and in network namespaces
of its own, and writes beside each capture NAME.pcap a NAME.json: who had which socket options, what was done when, what
each application saw, states by `ss`, the kernel's counters, and every probe that the wire shows.

`stage`      namespaces, links and routers between them, captures, what is sampled, the JSON
`flow`       one connection: its options, what is done to it, what its applications see
`relay`      a program that passes frames on, late, tagged, or not
`wire`       probes, answers, FINs and resets by their numbers alone, and tshark's labels beside them
`parts`      beginnings and endings that several scenarios share
`playing`    the table of scenarios, played side by side

The scenarios stand by subject: `howdy` (the founding question), `dead`, `boxes`, `answered`, `windows`, `octets`,
`vantage`, `numbers`, `half_close`, `many`, `beside`, `points`.
"""
