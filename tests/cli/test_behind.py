"""Texts made by a thread of their own."""

import threading

import pytest

from analyzer.cli import behind
from analyzer.cli.behind import made_behind


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    """There are two, wherever this runs."""
    monkeypatch.setattr(behind.os, "cpu_count", lambda: 2)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize("at_once", [True, False])
def test_texts_come_in_order(count, at_once):
    """However many there are, and whoever makes them, each comes once and in its turn."""
    texts = [str(number).__str__ for number in range(count)]

    assert [str(number) for number in range(count)] == list(made_behind(iter(texts), at_once=at_once))


def test_a_text_is_made_while_the_next_is_prepared():
    """A text that waits for the next to be prepared is made, by another thread than ours."""
    prepared = threading.Event()
    makers = []

    def waits():
        assert prepared.wait(60)
        makers.append(threading.current_thread())
        return "first"

    def texts():
        yield waits
        prepared.set()
        yield "second".__str__

    assert ["first", "second"] == list(made_behind(texts()))
    assert threading.current_thread() not in makers


def test_at_once_a_text_comes_before_the_next_is_asked_for():
    """Who waits for each flow of a live stream gets it before there is another."""
    asked = []

    def texts():
        for number in range(3):
            asked.append(number)
            yield str(number).__str__

    some = made_behind(texts(), at_once=True)

    assert ("0", [0]) == (next(some), asked)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_goes_wrong_is_raised_in_its_turn(at_once):
    """The texts before one that fails still come, and then its error."""

    def fails():
        raise MemoryError

    some = made_behind(iter(["fine".__str__, fails, "never".__str__]), at_once=at_once)

    assert next(some) == "fine"
    with pytest.raises(MemoryError):
        next(some)


def test_who_stops_early_leaves_no_thread():
    """When nobody wants more, the thread ends."""
    before = threading.active_count()
    some = made_behind(str(number).__str__ for number in range(9))
    next(some)
    some.close()

    assert before == threading.active_count()
