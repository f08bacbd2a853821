"""Settings as objects."""

from analyzer.judge.signatures import Span
from analyzer.judge.timers.settings import Inferred, span, timer_of
from tests.trains import S, timer


def test_a_timer_of_which_nothing_is_known_is_none():
    """One of which something is known has its value, if any, its bounds, and its own frames."""
    known = timer(value_ns=2 * S, low_ns=S, high_ns=3 * S, observations=2, first=1, stop=3)

    assert timer_of(timer(there=0), []) is None
    assert (2 * S, S, 3 * S, 2, (7, 9)) == timer_of(known, [1, 7, 9, 11])


def test_a_span_is_the_value_or_the_bounds():
    """Where a value is known the bounds do not matter."""
    known = timer_of(timer(value_ns=2 * S, low_ns=S, high_ns=3 * S, observations=2, first=0, stop=0), [])

    assert Span(2 * S, 2 * S) == span(known)
    assert Span(S, 3 * S) == span(known._replace(value_ns=None))
    assert span(None) is None


def test_settings_are_made_once_and_only_of_the_end_that_is_asked_for():
    """Nothing is made until somebody asks; two are equal if the same is told of both ends."""
    asked = []
    both = Inferred(asked.append)

    assert both[1] is both[1] is None
    assert [1] == asked
    assert (None, None) == both
    assert 1 == len({both, Inferred(lambda _: None)})
    assert both != Inferred(lambda side: span(None) if side else Span(1, 1))
