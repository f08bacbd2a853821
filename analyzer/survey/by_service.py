"""Which services the flows of a list belong to, what those of each add up to, and which services come first.

A service is the address and port of a responder. Where no SYN says which end that is, it is a guess, which other flows
may correct. Lines of flows that nobody can look at become one where they are alike.

It must not hold a word for the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.verdict import VERDICTS
from analyzer.segment import address_text
from analyzer.survey.overview import LINE
from analyzer.track.flow import Endpoint
from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIKE: Final = ("service_lo", "service_hi", "service_port", "winner", "rank", "notable", "capture")
"""What lines have in common that may become one."""
MOST_GUESSED: Final = 1 << 17
"""This many flows of which only a line is left may wait for their service to be known: 14 MiB."""
SUMS: Final = ("flows", "probes", "answered", "after_fin", "zero_window")
SERVICE: Final = ("service_lo", "service_hi", "service_port")
"""The columns that name a flow's responder."""


@dataclass(frozen=True, slots=True)
class Service:
    """The flows of one responder (address and port), or of several small ones with the same port."""

    endpoint: Endpoint | None
    """None for several."""
    port: int
    addresses: int
    flows: int
    probes: int
    answered: int
    after_fin: int
    verdicts: dict[str, int]
    """Most frequent first."""
    first: int | None
    """Index among the ranked lines of its most important flow; None if only lines are left of them all."""


def folded(lines: NDArray[np.void]) -> NDArray[np.void]:
    """Return fewer lines that say the same of services: flows that nobody can look at become one where they are alike.

    A line whose service is a guess stays, because ``settle_services`` may correct it; unless there are more than
    MOST_GUESSED, which then are what they were taken for (``guessed`` becomes 0 in ``lines``).
    """
    guesses = (lines["batch"] < 0) & (lines["guessed"] == 1)
    if np.count_nonzero(guesses) > MOST_GUESSED:
        lines["guessed"][guesses] = 0
    single = np.flatnonzero((lines["batch"] >= 0) | (lines["guessed"] == 1))
    many = np.flatnonzero((lines["batch"] < 0) & (lines["guessed"] == 0))
    if not len(many):
        return lines
    many = many[np.lexsort([lines[name][many] for name in ("number", *ALIKE)])]
    starts = _changes(lines, many, ALIKE)
    # filled in place: there may be a hundred thousand of them
    fewer = np.empty(len(single) + len(starts), dtype=LINE)
    fewer[: len(single)] = lines[single]
    np.take(lines, many[starts], out=fewer[len(single) :], mode="clip")
    for name in SUMS:
        fewer[name][len(single) :] = np.add.reduceat(lines[name][many], starts)
    return fewer


def settle_services(lines: NDArray[np.void]) -> None:
    """Correct guesses: a port that other flows were seen to connect to is the service, whichever is lower."""
    guessed = lines["guessed"] == 1
    known = np.flatnonzero(np.bincount(lines["service_port"][~guessed], minlength=1))
    swapped = guessed & np.isin(lines["other_port"], known) & ~np.isin(lines["service_port"], known)
    for part in ("hi", "lo", "port"):
        service, other = lines[f"service_{part}"][swapped], lines[f"other_{part}"][swapped]
        lines[f"service_{part}"][swapped], lines[f"other_{part}"][swapped] = other, service


def services(lines: NDArray[np.void], most: int) -> list[Service]:
    """Group ranked lines by service, the one with the most important flow, and the most such flows, first.

    Beyond ``most`` services, those with few flows are taken together by port.
    """
    groups = _group(lines, np.arange(len(lines)), SERVICE)
    chosen = [(groups, at) for at in range(len(groups.flows))]
    if len(chosen) > most:
        least = max(int(lines["flows"].sum()) // 100, 2)
        large = groups.by_urgency(np.flatnonzero(groups.flows >= least))[:most].tolist()
        rest = np.ones(len(lines), dtype=np.bool_)
        for at in large:
            rest[groups.of(at)] = False
        others = _group(lines, np.flatnonzero(rest), ("service_port",))
        chosen = [*((groups, at) for at in large), *((others, at) for at in range(len(others.flows)))]
    chosen.sort(key=lambda group: group[0].urgency(group[1]))
    return [_service(some.of(at), int(some.flows[at]), lines) for some, at in chosen]


@dataclass(frozen=True, slots=True)
class _Groups:
    """Ranked lines in groups, as columns: there may be as many as lines, of which a few are told."""

    order: NDArray[np.int64]
    """The indices of the lines, group by group, in order in each."""
    start: NDArray[np.int64]
    """Where each group begins; one more at the end."""
    best: NDArray[np.int64]
    """The rank of the first line of each."""
    most_urgent: NDArray[np.int64]
    """How many flows have that rank."""
    flows: NDArray[np.int64]

    def of(self, at: int) -> NDArray[np.int64]:
        """Return the indices of the lines of a group."""
        return self.order[self.start[at] : self.start[at + 1]]

    def urgency(self, at: int) -> tuple[int, int, int]:
        """Return what groups are sorted by."""
        return int(self.best[at]), -int(self.most_urgent[at]), -int(self.flows[at])

    def by_urgency(self, some: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return these groups in that order, equals as they come."""
        return some[np.lexsort((-self.flows[some], -self.most_urgent[some], self.best[some]))]


def _service(at: NDArray[np.int64], flows: int, lines: NDArray[np.void]) -> Service:
    """Return what the lines at these indices, of so many flows, have in common."""
    own = lines[at]
    head = own[0]
    kept = at[own["batch"] >= 0]
    by_address = at[np.lexsort((own["service_lo"], own["service_hi"]))]
    addresses = len(_changes(lines, by_address, ("service_hi", "service_lo")))
    address = address_text(int(head["service_hi"]), int(head["service_lo"]))
    counts: dict[str, int] = {}
    for index, count in enumerate(np.bincount(own["winner"], own["flows"], len(VERDICTS)).tolist()):
        if count:
            word = VERDICTS[index].verdict.value
            counts[word] = counts.get(word, 0) + int(count)
    return Service(
        endpoint=Endpoint(address, int(head["service_port"])) if addresses == 1 else None,
        port=int(head["service_port"]),
        addresses=addresses,
        flows=flows,
        probes=int(own["probes"].sum()),
        answered=int(own["answered"].sum()),
        after_fin=int(own["after_fin"].sum()),
        verdicts=dict(sorted(counts.items(), key=lambda item: -item[1])),
        first=int(kept[0]) if len(kept) else None,
    )


def _group(lines: NDArray[np.void], at: NDArray[np.int64], names: tuple[str, ...]) -> _Groups:
    """Group the lines at these indices by some columns."""
    order = at[np.lexsort((at, *(lines[name][at] for name in names)))]
    starts = _changes(lines, order, names) if len(at) else at
    ranks, flows = lines["rank"][order].astype(np.int64), lines["flows"][order].astype(np.int64)
    best = ranks[starts]
    urgent = np.where(ranks == np.repeat(best, np.diff(starts, append=len(order))), flows, 0)
    sums = [np.add.reduceat(column, starts) if len(at) else column for column in (urgent, flows)]
    return _Groups(order, np.append(starts, len(order)), best, *sums)


def _changes(lines: NDArray[np.void], order: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where lines, in an order that sorts these columns, begin to differ in one of them."""
    changes = np.logical_or.reduce([np.diff(lines[name][order]) != 0 for name in names])
    return np.concatenate(([0], 1 + np.flatnonzero(changes)))
