"""Which connections that are over are forgotten, where only the first in which something happened are told.

The others are counted: those in which something happened, and those in which nothing did. When they began says which
number a connection has among all, so of those that began before the last that is told that stays.

It must not know fates, or how packets are met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

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

    def judge(
        self, ended: Ended, quiet: Bools, told: Bools, expected_ns: Callable[[Ints], Ints], ahead_ns: int
    ) -> tuple[Bools, Bools, Bools]:
        """Say which connections stay as pairs, which are forgotten, and of which of these not all pairs are sure.

        ``quiet`` are those whose packets tell nothing, ``told`` those with a flow that tells something.
        ``ahead_ns`` is how far the clock here is ahead of the one there.
        """
        count = len(quiet)
        if self._may_be_copies:  # then all has to be compared
            self._may_be_copies, self._moved_ns = ended.may_be_copies(self._moved_ns)
            if self._may_be_copies:
                return quiet, np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        ready = ended.present(count)
        asked = ready & ~(quiet | told)
        changed = ended.changed(count, asked)
        doubtful, unsure = ended.doubtful(count, asked, expected_ns)
        eventful = ready & (told | ((changed | ended.missing(count)) & ~doubtful))
        nothing = quiet | (ready & ~(changed | doubtful | ended.unpaired(count)))
        nothing &= ~told
        there_ns, here_ns = ended.began_ns(count, ahead_ns)
        began_ns = np.minimum(there_ns, here_ns - ahead_ns)
        late = began_ns > self._limit(began_ns[eventful])
        early = np.flatnonzero(nothing & ~late)
        self._began[0].append(there_ns[early])
        self._began[1].append(here_ns[early])
        self._quiet += int((nothing & late).sum())
        self._eventful += int((eventful & late).sum())
        return quiet & told & ~late, nothing | (eventful & late), unsure | (told & ~quiet)

    def _limit(self, began_ns: Ints) -> int:
        """Return until when those began that may be told, where these are more in which something happened."""
        if self._most is None:
            return int(np.iinfo(np.int64).max)
        self._first = np.sort(np.concatenate([self._first, began_ns]))[: self._most]
        if len(self._first) < self._most:
            return int(np.iinfo(np.int64).max)
        return int(self._first.max(initial=0)) + MARGIN_NS

    def counted(self) -> Counted:
        """Return what was forgotten."""
        none = np.zeros(0, dtype=np.int64)
        there, here = (np.concatenate([none, *each]) for each in self._began)
        return Counted((there, here), self._quiet, self._eventful)
