import threading
import time

import pytest

from analyzer.capture.ahead import DEPTH, read_ahead


def test_items_come_in_order():
    """Everything comes, in order, and then the end."""
    assert list(range(1000)) == list(read_ahead(range(1000)))


def test_only_so_much_is_ahead():
    """The thread waits when enough items wait."""
    made = []

    def items():
        for at in range(100):
            made.append(at)
            yield at

    ahead = read_ahead(items())
    assert 0 == next(ahead)
    time.sleep(0.2)

    assert len(made) <= DEPTH + 2
    ahead.close()


def test_nobody_waits_to_say_that_the_work_goes_on():
    """Items that are None are left out while none may wait, and the thread comes to its end; the others all come."""
    done = threading.Event()

    def items():
        yield 1
        yield from [None] * 100
        done.set()
        yield 2

    ahead = read_ahead(items(), 1, meanwhile=lambda: done.wait(10))

    assert [1, 2] == [each for each in ahead if each is not None]
    assert done.is_set()


def test_an_exception_comes_after_the_items_before_it():
    """What the iterable raises is raised to the reader, in its place."""

    def items():
        yield 1
        raise ValueError("broken")

    ahead = read_ahead(items())
    assert 1 == next(ahead)
    with pytest.raises(ValueError, match="broken"):
        next(ahead)


def test_stopping_early_ends_the_thread():
    """A reader that leaves takes the thread with it."""
    ahead = read_ahead(iter(int, 1))
    next(ahead)
    ahead.close()

    assert not [thread for thread in threading.enumerate() if thread.name == "keepalive-read-ahead"]


def test_leaving_does_not_wait_for_a_silent_stream():
    """A reader that is interrupted while a stream is silent does not wait for its next octet."""
    release = threading.Event()

    def items():
        yield 1
        release.wait(120)

    ahead = read_ahead(items())
    next(ahead)
    ahead.close()
    waiting = [thread for thread in threading.enumerate() if thread.name == "keepalive-read-ahead"]
    release.set()

    assert 1 == len(waiting)
    waiting[0].join()


def test_something_else_is_done_while_the_first_item_is_made():
    """It is called when the thread works, and before its first item is waited for."""
    begun, done = threading.Event(), threading.Event()

    def items():
        begun.set()
        assert done.wait(120)
        yield 1

    def meanwhile():
        assert begun.wait(120)
        done.set()

    assert [1] == list(read_ahead(items(), meanwhile=meanwhile))
