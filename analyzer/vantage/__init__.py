"""Several vantages: the same traffic captured at several points, matched packet by packet, and what became of each.

    sightings of each point -> matching (flows, packets) -> clocks -> who stands where -> fates -> joint flows

A *point* is where something was captured. A *sighting* is a segment as one point saw it; a *crossing* is one packet on
its way, with its sightings at all points. What a packet's number, acknowledgement and length say passes translators
unchanged, so packets are matched by these, whatever their addresses; then by time, once the clocks are known.

It must not read files, or hold a sentence.
"""
