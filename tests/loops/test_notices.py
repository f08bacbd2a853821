"""What has to be said about how loops run."""

import pytest

from analyzer.loops import notices


@pytest.fixture(autouse=True)
def silence(monkeypatch):
    """Nothing was told yet, and nobody hears."""
    monkeypatch.setattr(notices, "_TOLD", {})
    monkeypatch.setattr(notices, "_HEARING", [])


def test_a_sentence_is_told_once():
    """Who hears gets each sentence once, in order."""
    heard = []
    notices.hear_with(heard.append)
    for sentence in ("one", "two", "one"):
        notices.tell(sentence)

    assert ["one", "two"] == heard == notices.told()


def test_the_last_one_to_ask_hears():
    """A listener takes the place of the one before."""
    first, second = [], []
    notices.hear_with(first.append)
    notices.hear_with(second.append)
    notices.tell("one")

    assert ([], ["one"]) == (first, second)


def test_what_nobody_hears_can_be_asked_for():
    """Without an edge to say it, a sentence is kept."""
    notices.tell("one")

    assert ["one"] == notices.told()
