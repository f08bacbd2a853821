"""Why captures are not joined: nothing is common to them, or they are of one point, or one is in another.

It must not decide what became of a packet.
"""

from __future__ import annotations

from itertools import combinations, islice, permutations
from typing import TYPE_CHECKING, Final

from analyzer.errors import AnalyzerError
from analyzer.judge.record import other as other_side
from analyzer.vantage.copies import are_copies, is_within
from analyzer.vantage.one_place import at_one_place
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.abreast import Read
    from analyzer.vantage.forgotten import Thinned
    from analyzer.vantage.sighting import Columns
    from analyzer.vantage.weaving import Woven

SEQUEL: Final = 0.2
"""Two captures that do not overlap by their own clocks share no more of their packets by chance."""
PAIR: Final = 2
MOST_ASKED: Final = 1_000
"""Of so many flows addresses are compared where captures share no packet."""


class NotJoinedError(AnalyzerError):
    """The captures cannot be joined; why, in one sentence."""

    warnings: tuple[tuple[str, str], ...] = ()
    """What is wrong with the captures: the path of each, and a sentence."""

    def warn(self, read: Sequence[Read]) -> None:
        """Take what is wrong with the captures that were read: it may be why they are not joined."""
        self.warnings = tuple((each.path, warning) for each in read for warning in each.summary.warnings)
        for path, warning in self.warnings:
            self.add_note(f"{path}: {warning}")


def refuse_empty(read: Sequence[Read]) -> None:
    """Refuse captures that have nothing to join.

    Raises:
        NotJoinedError: with the name of the first.
    """
    for each in read:
        if not each.summary.tcp_segments:
            what = f"no TCP segments in {count(each.summary.frames, 'frame')}" if each.summary.frames else "no packets"
            raise NotJoinedError(f"{each.path} has {what}: there is nothing to join")


def refuse_copies(read: Sequence[Read], thinned: Thinned) -> None:
    """Refuse captures that are one.

    Raises:
        NotJoinedError: with the names of both.
    """
    for one, other in combinations(range(len(read)), 2):
        if are_copies(thinned.seen[one], thinned.seen[other]):
            raise NotJoinedError(
                f"{read[one].path} and {read[other].path} are the same capture, or copies of parts of it: the packets "
                "that both have are the same, equally far apart in time; name a capture from another point as well"
            )


def refuse_parts(read: Sequence[Read], seen: Sequence[Columns], home: Sequence[int]) -> None:
    """Refuse a capture that is in another one, among packets of other points that nothing there tells apart.

    Raises:
        NotJoinedError: with the names of both.
    """
    alone = [at for at, capture in enumerate(home) if home.count(capture) == 1]
    for one, other in permutations(alone, 2):
        if is_within(seen[one], seen[other]):
            part, whole = read[home[one]].path, read[home[other]].path
            raise NotJoinedError(
                f"every packet of {part} is in {whole} too, at the same instant, so {part} tells nothing that "
                f"{whole} does not: if that was put together from captures of several points, name these instead; else "
                "name a capture from another point"
            )


def refuse_sequel(read: Sequence[Read], woven: Woven, seen: Sequence[Columns], home: Sequence[int]) -> None:
    """Refuse two captures of one point, the second of which goes on where the first ends: packets that are alike match.

    Raises:
        NotJoinedError: with the names of both.
    """
    if not woven.flows:
        return
    alone = [at for at, capture in enumerate(home) if home.count(capture) == 1]
    for points in combinations(alone, 2):
        first, second = sorted((read[home[at]] for at in points), key=lambda one: one.summary.start_ns or 0)
        if (first.summary.end_ns or 0) > (second.summary.start_ns or 0) or not _same_flows(first, second):
            continue
        one, other = points
        table = woven.crossings.seen[:, list(points)]
        both = table[(table >= 0).all(axis=1)]
        if len(home) == PAIR:
            here = bool((seen[one]["ttl"][both[:, 0]] == seen[other]["ttl"][both[:, 1]]).all())
        else:
            here = at_one_place(woven, seen, one, other)
        few = len(both) < SEQUEL * int((table >= 0).sum(axis=0).min())
        if here and (few or points in woven.guesses):
            shared = "hardly a packet" if len(both) else "no packet"
            raise NotJoinedError(_goes_on(first, second, shared, among=len(home)))


def _goes_on(first: Read, second: Read, shared: str, *, among: int = PAIR) -> str:
    reads = "report reads both as one"
    if among > PAIR:
        reads = "join reads both as one if they lie in one folder and their names differ only in digits"
    return (
        f"{first.path} and {second.path} have {shared} in common: the second goes on where the first ends, with the "
        f"same flows, so they are most likely of one point; {reads}"
    )


def refuse_strangers(read: Sequence[Read], known: set[int]) -> None:
    """Refuse captures that have nothing in common with the others.

    Raises:
        NotJoinedError: with the reason, if one shows.
    """
    strangers = [each for capture, each in enumerate(read) if capture not in known]
    if not strangers or len(read) == 1:
        return
    for each in strangers:
        for other in read:
            if other is each:
                continue
            first, second = sorted((each, other), key=lambda one: one.summary.start_ns or 0)
            if _same_flows(first, second) and (first.summary.end_ns or 0) <= (second.summary.start_ns or 0):
                raise NotJoinedError(_goes_on(first, second, "no packet", among=len(read)))
    names = " and ".join(each.path for each in strangers) if len(read) > 2 else f"{read[0].path} and {read[1].path}"
    if len(strangers) == 1 and len(read) > 2:
        raise NotJoinedError(f"{names} has no packet in common with the others")
    why = (_may_be_a_proxy(read[0], read[1]) or _other_connections(read[0], read[1])) if len(read) == PAIR else ""
    raise NotJoinedError(
        f"{names} have no packet in common, and no connections that carry the same data, as those of a proxy would{why}"
    )


def _other_connections(one: Read, other: Read) -> str:
    """Say that both have connections of one host with one service, from other ports; nothing if they have not."""

    def asked(read: Read) -> set[tuple[str, str]]:
        records = [flow.judged.record for flow in islice(read.flows.values(), MOST_ASKED)]
        return {
            (record.endpoint(side).address, str(record.endpoint(other_side(side))))
            for record in records
            if (side := record.initiator) is not None
        }

    both = sorted(asked(one) & asked(other))
    if not both:
        return ""
    return (
        f"; both have connections from {both[0][0]} to {both[0][1]}, but not the same ones: if these are two runs,"
        " keepalive report reads both side by side"
    )


def _may_be_a_proxy(one: Read, other: Read) -> str:
    """Say which host answers in one capture and begins connections in the other; nothing if none does."""

    def ends(read: Read) -> tuple[set[str], set[str]]:
        asked = [flow.judged.record for flow in islice(read.flows.values(), MOST_ASKED)]
        begun = [(record, record.initiator) for record in asked if record.initiator is not None]
        asking = {record.endpoint(side).address for record, side in begun}
        return asking, {record.endpoint(other_side(side)).address for record, side in begun}

    for (asking, answering), (begins, _), names in (
        (ends(one), ends(other), (one.path, other.path)),
        (ends(other), ends(one), (other.path, one.path)),
    ):
        if both := sorted((answering - asking) & begins):
            return (
                f"; {both[0]} answers in {names[0]} and begins connections in {names[1]}: if it is a proxy that "
                "changes what it passes on (TLS, headers), no packet shows which of its connections belong together"
            )
    return ""


def _same_flows(one: Read, other: Read) -> bool:
    """Say whether two captures have a connection between the same addresses and ports."""

    def ends(read: Read) -> set[frozenset[str]]:
        return {frozenset((str(flow.a), str(flow.b))) for flow in read.flows.values()}

    return bool(ends(one) & ends(other))
