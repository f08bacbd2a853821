"""Which connections that are over are forgotten, where only the first in which something happened are told.

The others are counted: those in which something happened, and those in which nothing did. When they began says which
number a connection has among all, so of those that began before the last that is told that stays.

It must not know fates, or how packets are met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass
from analyzer.vantage.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.vantage.past import Ended

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

MARGIN_NS: Final = 5_000_000_000
"""How much earlier than was seen so far a connection may have begun, by the clocks as they turn out."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Connections that were forgotten."""

    began_ns: tuple[Ints, Ints]
    """Of some in which nothing happened, when the first packet was at each point, by the clocks of these."""
    quiet: int
    """How many more there were in which nothing happened; they began behind all that are told."""
    eventful: int
    """The same of those in which something did."""

    def __len__(self) -> int:
        return len(self.began_ns[0]) + self.quiet + self.eventful


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of connections that are over."""

    quiet: Bools
    """Their packets tell nothing."""
    told: Bools
    """A flow of theirs tells something by itself."""
    late: Bools
    """They will not be told: of what is surely one packet nothing stayed."""
    changed: Bools
    """Of that one was another behind."""


class Forgetting:
    """Decides which connections are forgotten, and counts them."""

    def __init__(self, most: int | None) -> None:
        """Begin; of the connections in which something happened the first ``most`` stay, or all."""
        self._most = most
        self._first = np.zeros(0, dtype=np.int64)
        self._began: tuple[list[Ints], list[Ints]] = ([], [])
        self._quiet = self._eventful = 0
        self._moved_ns: int | None = None
        self._may_be_copies = True
        self.samples = Samples()
        self.until_ns = int(np.iinfo(np.int64).max)
        """What begins later, by the clock there, will not be told."""

    def judge(
        self, ended: Ended, known: Known, expected_ns: Callable[[Ints], Ints], ahead_ns: int
    ) -> tuple[Bools, Bools, Bools]:
        """Say which connections stay as pairs, which are forgotten, and of which of these not all pairs are sure.

        ``ahead_ns`` is how far the clock here is ahead of the one there.
        """
        quiet, told = known.quiet, known.told
        count = len(quiet)
        if self._may_be_copies:  # then all has to be compared
            self._may_be_copies, self._moved_ns = ended.may_be_copies(self._moved_ns)
            if self._may_be_copies:
                return quiet, np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        ready = ended.present(count) | known.late
        asked = ready & ~(quiet | told)
        changed = known.changed | ended.changed(count, asked)
        missing = ended.missing(count)
        missing |= ended.lacking(count, asked & known.late & ~missing, expected_ns)
        doubtful, unsure = ended.doubtful(count, asked & ~known.late, expected_ns)
        doubtful &= ~known.late
        eventful = ready & (told | ((changed | missing) & ~doubtful))
        open_ = doubtful | (ended.unpaired(count) & ~known.late)
        nothing = (quiet | (ready & ~(changed | missing | open_))) & ~told
        there_ns, here_ns = ended.began_ns(count, ahead_ns)
        began_ns = np.minimum(there_ns, here_ns - ahead_ns)
        late = known.late | (began_ns > self._until(began_ns[eventful & ~known.late]))
        early = np.flatnonzero(nothing & ~late)
        self._began[0].append(there_ns[early])
        self._began[1].append(here_ns[early])
        self._quiet += int((nothing & late).sum())
        self._eventful += int((eventful & late).sum())
        return quiet & told & ~late, nothing | (eventful & late), unsure | (told & ~quiet)

    def _until(self, began_ns: Ints) -> int:
        """Return until when those began that may be told, where these are more in which something happened."""
        if self._most is not None:
            self._first = np.sort(np.concatenate([self._first, began_ns]))[: self._most]
            if len(self._first) == self._most:
                self.until_ns = int(self._first.max(initial=0)) + MARGIN_NS
        return self.until_ns

    def counted(self) -> Counted:
        """Return what was forgotten."""
        none = np.zeros(0, dtype=np.int64)
        there, here = (np.concatenate([none, *each]) for each in self._began)
        return Counted((there, here), self._quiet, self._eventful)
