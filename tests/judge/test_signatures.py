"""The tables of known numbers, and how they are looked up."""

import pytest

from analyzer.judge import signatures
from analyzer.judge.signatures import (
    FIN_WAIT_2,
    MIDDLEBOXES,
    ONLY_CALLED,
    ONLY_OPEN,
    SOFTWARE,
    Chosen,
    Span,
    Stack,
    of_end,
)

S = 1_000_000_000


def exactly(value_s):
    """Return the span of a known value."""
    return Span(value_s * S, value_s * S)


def between(low_s, high_s):
    """Return a span of bounds."""
    return Span(low_s * S, high_s * S)


@pytest.mark.parametrize("row", [*SOFTWARE, *signatures.DEFAULTS, *MIDDLEBOXES, *FIN_WAIT_2], ids=lambda row: row.name)
def test_every_row_names_its_source(row):
    """No number stands in a table without saying where it comes from."""
    assert len(row.source) > 8


@pytest.mark.parametrize("table", [SOFTWARE, signatures.DEFAULTS, MIDDLEBOXES, FIN_WAIT_2])
def test_names_are_unique(table):
    """A name stands once in its table."""
    names = [row.name for row in table]

    assert len(set(names)) == len(names)


def test_round_numbers_rise():
    """Round durations are whole seconds in rising order."""
    assert sorted(set(signatures.ROUND_S)) == list(signatures.ROUND_S)


class TestFamilies:
    def test_triple(self):
        """Idle, interval and count together are found."""
        assert ("hiredis, redis-cli",) == signatures.families(exactly(15), exactly(5), exactly(15), 3, None)

    def test_count_of_the_system(self):
        """Where a program sets no count, its system's is in force."""
        names = signatures.families(exactly(15), exactly(15), exactly(15), 8, Stack.XNU)

        assert "Go net (1.13 to 1.22)" in names
        assert "Go net (1.23 and later)" not in names

    def test_defaults(self):
        """Two hours are the default of several systems; the form of the probe tells some apart."""
        assert {"Linux default", "FreeBSD default"} <= set(signatures.families(exactly(7200), None, None, None, None))
        assert "macOS default" in signatures.families(exactly(7200), None, None, None, Stack.XNU)
        assert ("Windows default",) == signatures.families(exactly(7200), None, None, None, Stack.ONE_OCTET)

    def test_answered_spacing_of_linux(self):
        """On Linux an answered train shows the longer of idle and interval, elsewhere idle."""
        firefox = "Firefox in its first minute"

        assert firefox in signatures.families(None, None, exactly(10), None, Stack.LINUX)
        assert firefox in signatures.families(None, None, exactly(10), None, Stack.XNU)
        assert firefox not in signatures.families(None, None, exactly(1), None, Stack.LINUX)

    def test_bounds_restrict(self):
        """Bounds of one quantity leave out what does not fit, where another is known."""
        names = signatures.families(exactly(300), between(1, 40), None, None, None)

        assert "KumoMTA proxy" in names
        assert "Redis server" not in names

    def test_bounds_alone_are_nothing(self):
        """Without a known idle time or period there is no family."""
        assert () == signatures.families(between(1, 60), exactly(1), None, None, None)

    def test_number_of_the_caller(self):
        """A row that takes its caller's number fits only where idle and interval are both known."""
        node = "Node.js setKeepAlive(true, ms)"

        assert node in signatures.families(exactly(33), exactly(1), None, None, None)
        assert node not in signatures.families(exactly(33), None, None, None, None)
        assert ("Go SetKeepAlivePeriod",) == signatures.families(exactly(33), exactly(33), None, None, None)

    def test_count_that_differs(self):
        """Who gave up after another number of probes than a program allows is not that program."""
        node = "Node.js setKeepAlive(true, ms)"

        assert node in signatures.families(exactly(2), exactly(1), exactly(2), 10, None)
        assert node not in signatures.families(exactly(2), exactly(1), exactly(2), 3, None)
        assert () == signatures.families(exactly(15), exactly(15), exactly(15), 4, None)

    def test_idle_time_alone_on_windows(self):
        """At a one-octet probe idle alone shows only what is at home on Windows."""
        assert ("SQL Server",) == signatures.families(exactly(30), None, exactly(30), None, Stack.ONE_OCTET)
        assert ("Chrome",) == signatures.families(exactly(45), None, exactly(45), None, Stack.ONE_OCTET)
        assert () == signatures.families(exactly(120), None, exactly(120), None, Stack.ONE_OCTET)

    def test_both_timers_on_windows(self):
        """What runs anywhere fits a one-octet probe where idle and interval are its own."""
        names = signatures.families(exactly(30), exactly(30), exactly(30), None, Stack.ONE_OCTET)

        assert ("Go http.DefaultTransport", "Go SetKeepAlivePeriod") == names

    def test_rest_by_the_system_shows_no_caller(self):
        """Interval and count of Windows itself behind a caller's idle time are anybody's."""
        assert () == signatures.families(exactly(33), exactly(1), None, None, Stack.ONE_OCTET)

    def test_row_of_one_stack(self):
        """The kernel settings of Linux show in no other form of probe."""
        gke = "GKE recommended sysctls"

        assert gke in signatures.families(exactly(60), exactly(60), None, 5, None)
        assert gke not in signatures.families(exactly(60), exactly(60), None, 5, Stack.XNU)

    def test_only_known_words(self):
        """A row holds numbers, or says who chose."""
        assert all(isinstance(row.interval_s, Chosen) or row.interval_s > 0 for row in SOFTWARE)


class TestMiddleboxes:
    def test_half_closed_limits(self):
        """Limits that hold only after a FIN count only there."""
        conntrack = "Linux conntrack, FIN seen"

        assert conntrack in {row.name for row in signatures.middleboxes_within(121 * S, half_closed=True)}
        assert conntrack not in {row.name for row in signatures.middleboxes_within(121 * S)}

    def test_within(self):
        """A silence outlasts every shorter limit, the shortest first."""
        rows = signatures.middleboxes_within(360 * S)

        assert 60 == rows[0].idle_s
        assert 350 == rows[-1].idle_s
        assert any(not row.keepalive_helps for row in rows)


def test_default_count():
    """An empty probe is taken for Linux's, unless its form says otherwise."""
    assert (9, 9, 8, 10) == tuple(
        signatures.default_count(stack) for stack in (None, Stack.LINUX, Stack.XNU, Stack.ONE_OCTET)
    )


def test_programs_that_only_open_connections_are_left_out_where_one_was_called():
    """And those that are only called where it opened; where nobody knows, all stay."""
    names = (next(iter(ONLY_OPEN)), next(iter(ONLY_CALLED)), "Go")

    assert [names[1:], (names[0], "Go"), names] == [of_end(names, opens=end) for end in (False, True, None)]
