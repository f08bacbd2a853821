"""A slow, scalar tracker: what a bystander knows before each segment, written from RFC 9293 and nothing else of ours.

It is the oracle for the columns of ``track.seen``: the same questions, answered one segment at a time with dicts and
lists. It shares no code with endpoint, observe and seen, only the names of the columns.

    RFC 9293 3.3.1  SND.UNA, SND.NXT, SND.WND, RCV.NXT, seen from outside: what was sent, and what was acknowledged
    RFC 9293 3.4    numbers modulo 2**32, unwrapped next to the last known one; SYN and FIN count
    RFC 9293 3.4.1  a new connection on old addresses has another initial number
    RFC 9293 3.5    simultaneous open; a RST carries no data and moves no number
    RFC 9293 3.8.4  keepalive: at most one octet, one below what is acknowledged
    RFC 7323 2.3    no window is larger than 2**30
"""

from analyzer.segment import ACK, FIN, RST, SYN, URG

TURN = 1 << 32
WINDOW_MOST = 1 << 30
"""A number further ahead than this belongs to no valid segment."""
TCP, ICMP, CUT, UNNUMBERED = 0, 1, 2, 3
ANY = 1 << 62
"""Acknowledged by whatever acknowledges anything."""

SECOND = 1_000_000_000
ANSWERED_WITHIN = 10 * SECOND
"""No answer takes longer."""
QUIET = SECOND * 9 // 10
"""Nothing is a repetition worth noting if it comes sooner."""


def nearest(value, near):
    """Return the number congruent to ``value`` that lies closest to ``near``; the lower of two."""
    return near + (value - near + TURN // 2) % TURN - TURN // 2


class End:
    """What is known of one endpoint by what it sent itself."""

    def __init__(self):
        self.count = 0
        self.forget()

    def forget(self):
        """Know nothing but how many segments it sent."""
        self.sent = None  # highest number sent, exclusive
        self.acked = None  # highest number of the peer it acknowledged, exclusive
        self.window = None
        self.stamps = []
        self.stamps_agreed = False
        self.fin = None
        self.syn = None
        self.syn_had_ack = False
        self.syns = 0
        self.past_handshake = False
        self.trail = []  # its segments other than RSTs and copies: (ts, seq, ack)
        self.active = None  # (ts, frame)
        self.data = None
        self.ttls = []
        self.ip_id = None
        self.mac = None
        self.recent = []  # its last four segments whole, with their times
        self.probe = None  # number of a probe-like segment that waits for an answer
        self.overlaps = 0  # probes before that one whose answers may be on their way


class Flow:
    """One connection on a pair of endpoints."""

    def __init__(self, number, row):
        self.number = number
        self.first = (row["src_hi"], row["src_lo"], row["src_port"])
        self.ends = (End(), End())
        self.last = None
        self.active = None
        self.resets = 0
        self.after_reset = 0
        self.reset_way = None  # TTL and station of the last RST
        self.doubles = 0
        self.claim = None  # (owner, its SND.NXT before, its SND.UNA before, when, frame): acknowledged but not seen
        self.provoked = None  # (owner, when, frame): a SYN that it sent again on an established connection
        self.lone = None  # (sender, when, frame, ack, activity before): the last segment, an empty ACK out of a silence
        self.former = None  # an older connection of these addresses that may still be heard
        self.has_two_tags = False


class Reference:
    """Feed it SEGMENT rows as dicts, in order; each call returns what was known before, or None for no TCP segment."""

    def __init__(self):
        self.flows = {}
        self.count = 0
        self.hosts = {}
        self.packets = 0
        self.doubles = 0

    def take(self, row):
        """Return the columns of one row and then learn from it."""
        source = (row["src_hi"], row["src_lo"], row["src_port"])
        target = (row["dst_hi"], row["dst_lo"], row["dst_port"])
        key = (frozenset([source, target]), row["tag"])
        flow = self.flows.get(key) or self.under_other_tag(key, source, row)
        if row["note"] == CUT:
            flow = flow or self.open(key, row)
            flow.last = row["ts_ns"]
            return None
        if row["note"] == ICMP:
            if flow is None:
                return None
            own, peer = self.sides(flow, source)
            return self.known(flow, own, peer, row, self.place(row["seq"], flow, own), None)
        former = None
        if flow and row["flags"] & SYN and not row["flags"] & RST and self.is_another(flow, source, row):
            former = flow.former or (flow if self.is_half_open(flow, source, row) else None)
            flow = None
        elif flow:
            flow = self.of_an_older_one(flow, source, row)
        if flow is None:
            flow = self.open(key, row)
            flow.former = former
        own, peer = self.sides(flow, source)
        if row["flags"] & SYN and not row["flags"] & RST and flow.ends[own].syn is None and flow.ends[own].count:
            # 3.5.1: the SYN begins; what its sender sent before belongs to a connection that is no more
            flow.ends[own].forget()
            flow.ends[peer].acked = None
        seq = self.place(row["seq"], flow, own)
        ack = self.place(row["ack"], flow, peer) if row["flags"] & ACK else None
        unsent = None
        if row["note"] == UNNUMBERED:
            seq = -1 if self.nxt(flow, own) is None else self.nxt(flow, own)
        else:
            unsent = self.doubt(flow, own, row, seq)
        like_probe = self.like_probe(flow, own, peer, row, seq, ack)
        if like_probe:
            self.take_early(flow, own, row, seq)
        known = self.known(flow, own, peer, row, seq, ack)
        if row["flags"] & RST:
            self.widen(row, known)
        known["is_copy"] = int(self.copied(flow, own, row) and not self.behind_peer(flow, own, row))
        known |= self.challenge(flow, own, row, (seq, ack), unsent) if not known["is_copy"] else {}
        if row["note"] == UNNUMBERED and like_probe and not known["is_copy"] and seq >= 0:
            known["seq"] = seq = seq - 1
        if known["is_copy"]:
            self.doubles += 1
            flow.doubles += 1
            flow.lone = None if like_probe else flow.lone
            flow.last = max(flow.last, row["ts_ns"])
        else:
            self.packets += 1
            self.learn(flow, own, peer, row, seq, ack, like_probe, challenge=known["provocation"] > 0)
        return known

    def open(self, key, row):
        """Begin a flow; no tag leads any more to the one whose place it takes."""
        old = self.flows.get(key)
        self.flows = {known: flow for known, flow in self.flows.items() if flow is not old}
        self.flows[key] = self.begin(row)
        return self.flows[key]

    def under_other_tag(self, key, source, row):
        """A connection may have two tags: its other direction's, or that of copies which no router passed on."""
        alike = [flow for (ends, _), flow in self.flows.items() if ends == key[0]]
        if not alike or row["note"] != TCP:
            return None
        flow = max(alike, key=lambda each: each.number)
        own, _ = self.sides(flow, source)
        end = flow.ends[own]
        if end.count == 0:
            fits = self.goes_with(flow, own, row)
        else:
            limit = SECOND * 19 // 100 if row["ip_id"] > 0 or row["tsval"] >= 0 else SECOND // 100
            like = [when for identity, when in end.recent if self.identity(row) == identity]
            fits = any(abs(row["ts_ns"] - when) <= limit for when in like)
            fits = fits and min(end.ttls, default=-1) <= row["ttl"] <= max(end.ttls, default=-1)
        if not fits or flow.has_two_tags:
            return None
        flow.has_two_tags = True
        self.flows[key] = flow
        return flow

    def goes_with(self, flow, own, row):
        """Both numbers are near what the other end sent and acknowledged; the one of a RST is the very one."""
        sent, acked = self.nxt(flow, 1 - own), self.una(flow, own)
        if flow.ends[1 - own].count == 0 or sent is None:
            return False
        if not row["flags"] & ACK:
            return bool(row["flags"] & RST) and acked is not None and (row["seq"] - acked) % TURN == 0
        near = abs(nearest(row["ack"], sent) - sent) <= 1 << 20
        return near and (acked is None or abs(nearest(row["seq"], acked) - acked) <= 1 << 20)

    def begin(self, row):
        """Begin a flow that its addresses do not lead to."""
        self.count += 1
        return Flow(self.count - 1, row)

    def doubt(self, flow, own, row, seq):
        """RFC 9293 3.10.7.4: an ACK of data never sent moves nothing; its owner's next segment shows what was sent."""
        if flow.claim is None or flow.claim[0] != own:
            return None
        _, before, acked, *drawn = flow.claim
        when = drawn[0]
        flow.claim = None
        end, peer = flow.ends[own], flow.ends[1 - own]
        silent = not end.trail or end.trail[-1][0] <= when
        empty = not row["payload_len"] and not row["flags"] & (SYN | FIN)
        shown = seq in {before - 1, before} - {self.una(flow, own) - 1}
        if silent and empty and shown and self.nxt(flow, own) == self.una(flow, own):
            peer.acked = acked
            end.sent = before
            return drawn if drawn[1] else None
        return None

    def take_early(self, flow, own, row, seq):
        """An ACK out of a silence, right before the probe that it answers, was written too early: no activity."""
        if flow.lone is None:
            return
        sender, when, frame, ack, flow_active, end_active = flow.lone
        peer = flow.ends[1 - own]
        if sender == own or ack != seq + 1 or not 0 <= row["ts_ns"] - when <= SECOND // 1000:
            return
        if flow.active and flow.active[1] == frame:
            flow.active = flow_active
        if peer.active and peer.active[1] == frame:
            peer.active = end_active

    def challenge(self, flow, own, row, numbers, unsent):
        """RFC 9293 3.10.7.4, RFC 5961 4.2: say whether this is the ACK that a SYN, or an ACK of unsent data, draws."""
        syn = flow.provoked[1:] if flow.provoked and flow.provoked[0] != own else None
        flow.provoked = None if syn else flow.provoked
        end, peer = flow.ends[own], flow.ends[1 - own]
        for provocation, drawn in ((1, syn), (2, unsent)):
            if drawn is None:
                continue
            when, frame = drawn
            empty = not row["payload_len"] and row["flags"] & (ACK | SYN | FIN | RST) == ACK
            empty = empty and row["note"] == TCP
            at_once = (not peer.trail or peer.trail[-1][0] <= when) and 0 <= row["ts_ns"] - when <= SECOND
            exact = numbers == (self.nxt(flow, own), self.nxt(flow, 1 - own)) and self.una(flow, own) is not None
            same_window = row["window"] == (-1 if end.window is None else end.window)
            if empty and at_once and exact and same_window and peer.probe is None:
                return {"provocation": provocation, "provoked": frame}
        return {}

    def widen(self, row, known):
        """A RST is compared with its host's packets over all its flows, and the last four stations new to a flow."""
        ttls, macs = self.hosts.get(self.host(row), ([], []))
        low, high = known["ttl_low"], known["ttl_high"]
        known["ttl_low"] = min([*ttls, *([low] if low >= 0 else [])], default=-1)
        known["ttl_high"] = max([*ttls, high])
        if row["src_mac"] >= 0 and row["src_mac"] in macs[-4:]:
            known["own_mac"] = row["src_mac"]
        elif known["own_mac"] < 0 and macs:
            known["own_mac"] = macs[-1]

    def host(self, row):
        """By what hosts are told apart."""
        return row["src_hi"], row["src_lo"], row["tag"], row["interface"]

    def is_half_open(self, flow, source, row):
        """RFC 9293 3.5.1: whether a new SYN may find that the other end still has the old connection."""
        own, peer = (flow.ends[side] for side in self.sides(flow, source))
        closed = own.fin is not None and peer.fin is not None
        over = flow.resets and flow.after_reset
        return not row["flags"] & ACK and peer.count > 0 and not over and not closed

    def of_an_older_one(self, flow, source, row):
        """Return the flow that a segment is of: while a SYN waits for its answer, old numbers are the old flow's."""
        opener, other = flow.ends
        own, _ = self.sides(flow, source)
        if opener.syn is None or row["flags"] & SYN:
            old = False
        elif own == 0:
            old = (row["seq"] - opener.syn) % TURN > 1 << 24
        elif row["flags"] & ACK:
            old = (row["ack"] - opener.syn - 1) % TURN > 1 << 24
        else:
            old = bool(row["flags"] & RST)
        if flow.former is None:
            only_syns = opener.syn is not None and not opener.syn_had_ack and not opener.past_handshake
            stray = own == 1 and only_syns and not other.count and old and row["flags"] & (ACK | RST) == ACK
            flow.former = self.begin(row) if stray else None
            return flow.former or flow
        if old:
            return flow.former
        if own == 1:
            flow.former = None
        return flow

    def sides(self, flow, source):
        """Return which end sent, and which did not: 0 is the one that sent first."""
        own = 0 if flow.first == source else 1
        return own, 1 - own

    def is_another(self, flow, source, row):
        """RFC 9293 3.4.1, 3.5: whether a SYN begins another connection."""
        own, peer = (flow.ends[side] for side in self.sides(flow, source))
        if own.syn is not None:
            return own.syn % TURN != row["seq"]
        if not row["flags"] & ACK:
            # the second SYN of a simultaneous open comes before its sender, and the handshake, got anywhere
            return bool(own.count or flow.resets or peer.past_handshake)
        awaited = peer.syn is not None and not peer.syn_had_ack and not peer.past_handshake
        if awaited and (row["ack"] - peer.syn - 1) % TURN <= 0xFFFF:
            return False
        return bool(own.count)

    def place(self, value, flow, side):
        """Unwrap a number of one end next to what is known of it; the first one a turn up."""
        end, peer = flow.ends[side], flow.ends[1 - side]
        known = [at for at in (end.sent, peer.acked) if at is not None]
        return nearest(value, max(known)) if known else value + TURN

    def copied(self, flow, own, row):
        """Say whether one of this end's last four segments was this packet: the same in all but TTL and MAC."""
        end, peer = flow.ends[own], flow.ends[1 - own]
        named = row["ip_id"] > 0 or row["tsval"] >= 0
        limit = SECOND * 19 // 100 if named else SECOND // 100
        like = [when for identity, when in end.recent[::-1] if self.identity(row) == identity]
        like = [when for when in like if abs(row["ts_ns"] - when) <= limit]
        if not like:
            return False
        if row["ip_id"] > 0 or abs(row["ts_ns"] - like[0]) > SECOND // 100:
            return True
        if row["flags"] & RST:
            elsewhere = (row["ttl"], row["src_mac"]) != flow.reset_way
        else:
            inside = min(end.ttls, default=-1) <= row["ttl"] <= max(end.ttls, default=-1)
            elsewhere = row["src_mac"] != end.mac or not inside
        if elsewhere or self.unasked(end, peer, row, like[0]):
            return True
        others = end.count + peer.count - 1
        there, twice = (others, flow.doubles) if others else (self.packets - 1, self.doubles)
        return twice * 2 >= there

    def unasked(self, end, peer, row, like):
        """Say whether nothing can have made an end send the same again so soon."""
        kind = row["flags"] & (SYN | RST | ACK)
        below = row["payload_len"] <= 1 and row["seq"] == (self.highest(end, peer) - 1) % TURN
        if kind & RST or kind == SYN | ACK:
            return False
        if kind == SYN or below:
            return True
        if kind == ACK and not row["payload_len"]:
            return False
        heard = peer.trail[-1][0] if peer.trail else -1
        return row["ts_ns"] - like <= SECOND // 1000 and heard <= like

    def highest(self, end, peer):
        """SND.NXT of an end."""
        return max(at for at in (end.sent, peer.acked, -1) if at is not None)

    def behind_peer(self, flow, own, row):
        """Say whether an unnumbered segment comes behind one of the peer: what it has in common says nothing then."""
        own_ns, peer_ns = (flow.ends[side].trail[-1][0] if flow.ends[side].trail else -1 for side in (own, 1 - own))
        return row["note"] == UNNUMBERED and peer_ns > own_ns

    def identity(self, row):
        """Return what copies of a packet share."""
        names = "seq ack tsval tsecr window ip_id flags payload_len sack_left sack_right"
        return tuple(row[name] for name in names.split())

    def una(self, flow, side):
        """SND.UNA of an end: what its peer acknowledged."""
        return flow.ends[1 - side].acked

    def nxt(self, flow, side):
        """SND.NXT of an end: what it sent, or its peer acknowledged where the capture missed it."""
        known = [at for at in (flow.ends[side].sent, self.una(flow, side)) if at is not None]
        return max(known, default=None)

    def known(self, flow, own, peer, row, seq, ack):
        """Return the columns: the segment's own numbers and what was known before it."""
        end, other = flow.ends[own], flow.ends[peer]
        columns = {
            "frame": row["frame"],
            "flow": flow.number,
            "side": own,
            "is_copy": 0,
            "seq": seq,
            "ack": ack,
            "answers_pending": int(other.probe is not None),
            "snd_nxt": self.nxt(flow, own),
            "snd_una": self.una(flow, own),
            "rcv_nxt": self.una(flow, peer),
            "peer_nxt": self.nxt(flow, peer),
            "snd_wnd": other.window,
            "own_wnd": end.window,
            "own_tsval": newest(end.stamps),
            "own_fin_seq": end.fin,
            "peer_fin_seq": other.fin,
            "own_last_ns": end.trail[-1][0] if end.trail else None,
            "peer_last_ns": other.trail[-1][0] if other.trail else None,
            "flow_last_ns": flow.last if end.count + other.count else None,
            "own_active_ns": end.active and end.active[0],
            "own_active_frame": end.active[1] if end.active else 0,
            "peer_active_ns": other.active and other.active[0],
            "peer_active_frame": other.active[1] if other.active else 0,
            "flow_active_ns": flow.active and flow.active[0],
            "flow_active_frame": flow.active[1] if flow.active else 0,
            "ttl_low": min(end.ttls, default=None),
            "ttl_high": max(end.ttls, default=None),
            "own_ip_id": end.ip_id,
            "own_mac": end.mac,
            "timestamps_on": int(end.stamps_agreed),
            "provocation": 0,
            "provoked": 0,
        }
        data = end.data or {"data_seq": None, "data_len": 0, "data_octet": None, "data_flags": 0, "data_ns": None}
        return {name: -1 if value is None else value for name, value in (columns | data).items()}

    def like_probe(self, flow, own, peer, row, seq, ack):
        """Say whether a segment has the form of keepalive, or of what may turn out to be keepalive."""
        end, una, nxt = flow.ends[own], self.una(flow, own), self.nxt(flow, own)
        shape = row["payload_len"] <= 1 and row["flags"] & ACK and not row["flags"] & (SYN | FIN | RST)
        if not shape:
            return False
        since = row["ts_ns"] - (end.trail[-1][0] if end.trail else -1)
        if row["note"] == UNNUMBERED:
            return self.unprovoked(flow, own, row, ack)
        if una is not None:
            # one below what is acknowledged; or, where the ACK may have been missed, below what was sent
            below = seq == nxt - 1 and not row["payload_len"] and since >= QUIET
            return seq == una - 1 or (una <= seq and below)
        if nxt is None:
            return True
        again = end.syn is None and bool(end.trail) and end.trail[-1][1:] == (seq, ack)
        return (again or seq == nxt - 1) and since >= QUIET

    def unprovoked(self, flow, own, row, ack):
        """Say whether an unnumbered segment says nothing new, on a connection on which nothing is to be said."""
        end, other = flow.ends[own], flow.ends[1 - own]
        received, sent = self.nxt(flow, 1 - own), self.nxt(flow, own)
        if row["payload_len"] or row["flags"] & URG or other.probe is not None:
            return False
        if (received is not None and ack < received) or end.acked not in {None, ack}:
            return False
        if other.acked is not None and other.acked < sent:
            return False
        before = end.window
        if before is not None and (row["window"] >= 2 * before + (before == 0) or 2 * row["window"] < before):
            return False
        active = [each.active[0] for each in (end, other) if each.active]
        return other.window == 0 or not active or row["ts_ns"] - max(active) >= QUIET

    def learn(self, flow, own, peer, row, seq, ack, like_probe, *, challenge):
        """Let a segment that is no copy change what is known."""
        end, other, flags, ts_ns = flow.ends[own], flow.ends[peer], row["flags"], row["ts_ns"]
        end.recent = [*end.recent[-3:], (self.identity(row), ts_ns)]
        old = row["flags"] & (ACK | SYN | FIN | RST) == ACK and not row["payload_len"] and row["note"] == TCP
        old = old and self.una(flow, own) is not None and (seq, ack) == (self.nxt(flow, own), self.una(flow, peer))
        lone = old and not like_probe and ts_ns - flow.last >= QUIET
        flow.lone = (own, ts_ns, row["frame"], ack, flow.active, end.active) if lone else None
        quiet = like_probe or challenge
        waiting = other.probe is not None
        if not like_probe and other.probe is not None:
            empty = not row["payload_len"] and not flags & (SYN | FIN | RST)
            answer = empty and (ack is None or ack <= other.probe + 1)
            quiet = answer or challenge
            nxt = self.nxt(flow, own)
            if not (row["payload_len"] and nxt is not None and seq + row["payload_len"] <= nxt):  # RFC 6298: a timer's
                self.settle(other, row, answer=answer)
        end.count += 1
        if flags & RST:
            flow.resets, flow.after_reset, flow.reset_way = flow.resets + 1, 0, (row["ttl"], row["src_mac"])
        else:
            flow.after_reset += 1
            ttls, macs = self.hosts.setdefault(self.host(row), ([], []))
            ttls.append(row["ttl"])
            news = end.count <= 4 or row["src_mac"] != end.mac or row["ttl"] not in {min(end.ttls), max(end.ttls)}
            if news and row["src_mac"] >= 0 and row["src_mac"] not in macs[-4:]:
                macs.append(row["src_mac"])
            peer_window = other.window
            if like_probe:
                soon = end.probe is not None and row["note"] != UNNUMBERED and bool(end.trail)
                soon = soon and ts_ns - end.trail[-1][0] <= ANSWERED_WITHIN
                end.overlaps = min(end.overlaps + 1, 100) if soon else 0
            self.learn_numbers(flow, own, peer, row, seq, ack, waiting=waiting)
            end.trail.append((ts_ns, seq, -1 if ack is None else ack))
            if row["tsval"] >= 0:
                end.stamps.append(row["tsval"])
                end.stamps_agreed |= bool(flags & ACK)
            end.ttls.append(row["ttl"])
            end.ip_id, end.mac = row["ip_id"], row["src_mac"]
            if like_probe or (row["payload_len"] == 1 and peer_window == 0):
                end.probe = seq if seq >= 0 else ANY
            elif row["payload_len"]:
                end.probe = None
                end.overlaps = 0
            if flags & SYN and end.syns > 1 and (end.past_handshake or other.past_handshake) and end.probe is None:
                una, nxt = self.una(flow, own), self.nxt(flow, own)
                if una is not None and una >= nxt:
                    flow.provoked = (own, ts_ns, row["frame"])
        flow.last = ts_ns
        if not quiet and not flags & RST:
            flow.active = end.active = (ts_ns, row["frame"])

    def settle(self, end, row, *, answer):
        """Let what the peer sends settle an end's probe, unless it is a RST or FIN, or earlier ones wait for theirs."""
        if answer and end.overlaps and row["ts_ns"] - end.trail[-1][0] <= ANSWERED_WITHIN:
            end.overlaps -= 1
        elif not row["flags"] & RST and (not row["flags"] & FIN or row["payload_len"]):
            end.probe = None
            end.overlaps = 0

    def learn_numbers(self, flow, own, peer, row, seq, ack, *, waiting):
        """RFC 9293 3.4, 3.10.7.4: move SND.NXT of the sender, and by its acknowledgement SND.UNA of the peer."""
        end, flags, length = flow.ends[own], row["flags"], row["payload_len"]
        nxt = self.nxt(flow, own)
        beyond = seq + length + bool(flags & SYN) + bool(flags & FIN)
        if nxt is not None and beyond > nxt + WINDOW_MOST:
            return
        if flags & SYN:
            end.syns += 1
            end.syn_had_ack = bool(flags & ACK) if end.syn is None else end.syn_had_ack
            end.syn = seq
        elif flags & ACK:
            end.past_handshake = True
        if flags & FIN and end.fin is None:
            end.fin = seq + length
        if length and not (nxt is not None and beyond <= nxt and seq < nxt):
            end.data = {
                "data_seq": seq + bool(flags & SYN),
                "data_len": length,
                "data_octet": row["first_octet"],
                "data_flags": flags,
                "data_ns": row["ts_ns"],
            }
        if seq >= 0:
            end.sent = beyond if end.sent is None else max(end.sent, beyond)
        if ack is None:
            return
        peer_nxt = self.nxt(flow, peer)
        if peer_nxt is not None and ack > peer_nxt + WINDOW_MOST:
            return
        other = flow.ends[peer]
        if end.syn is None and other.syn is not None and not other.past_handshake and not other.syn < ack <= peer_nxt:
            return  # 3.10.7.3: unacceptable in SYN-SENT
        if peer_nxt is not None and ack > peer_nxt and not (ack == peer_nxt + 1 and waiting):
            empty = not length and not flags & (SYN | FIN)
            flow.claim = (peer, peer_nxt, end.acked, row["ts_ns"], row["frame"] if empty else 0)
        if end.acked is None or ack >= end.acked:
            end.acked, end.window = ack, row["window"]


def newest(stamps):
    """RFC 7323 5.2: return the newest of timestamps, modulo 2**32."""
    latest = None
    for stamp in stamps:
        if latest is None or (stamp - latest) % TURN < TURN // 2:
            latest = stamp
    return latest
