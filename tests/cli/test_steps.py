"""The bar for work in steps."""

import io

import pytest

from analyzer.cli import manner, steps


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes stderr a terminal, on which no time is waited for; pytest puts its own back until then."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(steps, "PATIENCE_S", -1.0)

    def taken():
        monkeypatch.setattr("sys.stderr", shown := Terminal())
        return shown

    return taken


def test_long_work_has_a_bar(terminal):
    """What takes longer than a second shows what is done and how far it has come."""
    shown = terminal()

    assert [1, 2, 3] == list(steps.steps([1, 2, 3], 3, "judging"))
    assert "judging" in shown.getvalue()


def test_short_work_has_none(terminal, monkeypatch):
    """What is soon done shows nothing."""
    monkeypatch.setattr(steps, "PATIENCE_S", 60.0)
    shown = terminal()

    assert [1, 2] == list(steps.steps([1, 2], 2, "judging"))
    assert "" == shown.getvalue()


def test_quiet_work_has_none(terminal, monkeypatch):
    """Where it is to be quiet nothing is shown, however long it takes."""
    monkeypatch.setattr(manner.Manner, "quiet", True)
    shown = terminal()

    assert [1] == list(steps.steps([1], 1, "judging"))
    assert "" == shown.getvalue()


def test_a_bar_is_taken_away_after_an_error(terminal):
    """An error in a step passes, and the bar goes."""

    def failing():
        yield 1
        raise ValueError("broken")

    shown = terminal()

    with pytest.raises(ValueError, match="broken"):
        list(steps.steps(failing(), 2, "drawing"))

    assert shown.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # the cursor is shown again, and the line erased
