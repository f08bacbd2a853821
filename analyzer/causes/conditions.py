"""Conditions that several causes share: facts of a scene, each with the sentence that ``keepalive rules`` prints.

A condition must not name a cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.findings.kinds import answers_lost, dead_peer, lapses, one_way
from analyzer.judge.tried import tried_before
from analyzer.judge.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.judge.events import IcmpError
    from analyzer.judge.scene import Scene


def peer_was_heard(s: Scene) -> bool:
    """The end that a prober asked in vain went on probing itself: one direction was lost.

    Whether the prober gave up (dead-peer-detected), or not yet (live-peer-leaves-probes-unanswered).
    """
    gave_up = s.found(dead_peer.DEAD.code)
    asks = s.found(one_way.LIVE_UNANSWERED.code)
    return asks is not None or (gave_up is not None and "peer_probes" in gave_up.data)


def sent_nothing_itself(s: Scene) -> bool:
    """The end that a prober gave up on sent no data meanwhile that passed here and did not reach the prober."""
    gave_up = s.found(dead_peer.DEAD.code)
    return gave_up is None or "peer_data_frame" not in gave_up.data


def probes_stopped(s: Scene) -> bool:
    """The flow goes on, but the asker's probes stopped and nothing else came (probes-stopped)."""
    return s.ending.verdict is Verdict.OPEN and s.found(lapses.STOPPED.code) is not None


def fell_silent(s: Scene) -> bool:
    """The flow ended in silence: a prober gave up, or what was sent last stayed unanswered to the end.

    Not if the end in question went on probing itself, or if its answers were captured up to the end
    (answers-lost-behind-capture), or came when the prober had given up: then it had not fallen silent.
    """
    gave_up = s.found(dead_peer.DEAD.code)
    if gave_up is not None and "belated_ns" in gave_up.data:
        return False
    return s.is_silent and not peer_was_heard(s) and s.found(answers_lost.ANSWERS_LOST.code) is None


def fell_silent_or_stopped(s: Scene) -> bool:
    """The flow ended in silence, or its probes stopped although more were due (probes-stopped)."""
    return fell_silent(s) or probes_stopped(s)


def was_reset(s: Scene) -> bool:
    """A RST in the name of the end in question ended the flow."""
    return s.reset is not None


def knows_no_connection(s: Scene) -> bool:
    """That RST says that its sender knows no such connection."""
    return s.reset is not None and s.reset.kind == "no_socket"


def nothing_refused_a_probe(s: Scene) -> bool:
    """No RST in its name answered one of the probes in vain, not even one that the prober's kernel drops."""
    asked = {probe.frame for probe in s.in_vain}
    return not any(reset.answers_probe in asked for reset in s.resets_in_its_name)


def never_opened(s: Scene) -> bool:
    """No handshake was completed."""
    return s.ending.verdict is Verdict.UNESTABLISHED


def silent_or_never_opened(s: Scene) -> bool:
    """The flow ended in silence, or never began."""
    return fell_silent(s) or s.ending.verdict is Verdict.UNESTABLISHED


def capture_is_whole(s: Scene) -> bool:
    """No frame is known to be missing in the capture since."""
    return s.is_whole


def answers_could_be_captured(s: Scene) -> bool:
    """No capture filter is known, or it lets ARP pass."""
    return s.could_capture("arp") is True


def capture_lacks_frames(s: Scene) -> bool:
    """Packets were dropped while capturing, or the capture has a hole since."""
    return not s.is_whole


def is_on_link(s: Scene) -> bool:
    """Its host is on the captured link itself, by ARP or neighbour discovery."""
    return s.is_on_link


def is_behind_hop(s: Scene) -> bool:
    """Its host is not known to be on the captured link itself."""
    return not s.is_on_link


def host_was_heard(s: Scene) -> bool:
    """Its host was heard beside the flow, after the first of what stayed unanswered (not only by DHCP RELEASE)."""
    return any(frame != s.beside("back_frame") for frame in s.sign_frames) or s.is_heard_throughout


def host_was_not_heard(s: Scene) -> bool:
    """No frame of any kind is known of its host since the first of what stayed unanswered, although it would be."""
    return s.is_unheard


def host_came_back(s: Scene) -> bool:
    """No frame of its host is known since up to the end, and one came later."""
    return bool(s.later_frames) and not host_was_heard(s)


def station_was_heard(s: Scene) -> bool:
    """Its own station on the link was heard since, but not in the name of its address."""
    return s.station_is_heard and s.is_unheard


def station_was_not_heard(s: Scene) -> bool:
    """Nor was its own station on the link, where that is known."""
    return not s.station_is_heard


def station_was_heard_after_the_question(s: Scene) -> bool:
    """Its own station on the link was heard after the first question for its address that stayed without an answer."""
    return s.is_on_link and s.beside("asked") > 0 and s.beside("station_last_ns") > s.beside("asked_ns")


def station_was_silent_since(s: Scene) -> bool:
    """Its station was not heard after the first question for its address that stayed without an answer."""
    return not station_was_heard_after_the_question(s)


def nothing_was_heard(s: Scene) -> bool:
    """No station but the asker's was heard since the first of what stayed unanswered."""
    return s.is_unheard and not a_station_was_heard(s) and s.beside("mac") >= 0


def a_station_was_heard(s: Scene) -> bool:
    """A station other than the asker's was heard since the first of what stayed unanswered."""
    return s.beside("any_frame") > 0 and s.beside("any_ns") > s.due_ns


def shares_fate_with_other_hosts(s: Scene) -> bool:
    """Flows of the asker with other hosts fell silent in the same moment."""
    return s.beside("shared_other") > 0


def shares_fate_with_its_host(s: Scene) -> bool:
    """Other flows of the asker with the same host fell silent in the same moment."""
    return s.beside("shared_peer") > 0


def no_limit_explains_it(s: Scene) -> bool:
    """What stayed unanswered broke no silence that a known box may have ended, or one as long was survived."""
    return not limit_may_explain_it(s)


def limit_may_explain_it(s: Scene) -> bool:
    """What stayed unanswered broke a silence that a known box may have ended, and none as long was survived."""
    tried = tried_before(s.record, s.record.trial_to)
    return tried is not None and tried.fits_known_limit


def errors_of(kinds: frozenset[tuple[int, int, int]], *, exact: bool) -> Callable[[Scene], tuple[IcmpError, ...]]:
    """Return what picks the ICMP errors of these kinds (IP version, type, code).

    ``exact`` ones quote the very number of a probe, of data or of a RST, which nobody off the path knows; others need
    only fit into the window.
    """
    wanted = {"probe", "data", "reset"} if exact else {"probe", "data", "reset", "segment"}

    def picked(s: Scene) -> tuple[IcmpError, ...]:
        return tuple(e for e in s.errors if (e.version, e.type, e.code) in kinds and e.fits in wanted)

    return picked
