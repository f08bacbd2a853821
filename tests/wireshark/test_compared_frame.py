"""Which of Wireshark's labels say the same as our words."""

import pytest

from analyzer.judge.probe import NOT_PROBE_WORDS
from analyzer.wireshark.compared_frame import EXPECTED, Word, agree
from analyzer.wireshark.frame_labels import FAMILY, NONE, Label


@pytest.mark.parametrize(
    ("word", "labels", "expected"),
    [
        (Word.PROBE, Label.KEEP_ALIVE, True),
        (Word.PROBE, Label.KEEP_ALIVE | Label.ACK_LOST_SEGMENT, True),
        (Word.PROBE, Label.DUPLICATE_ACK, False),
        (Word.PROBE, Label.KEEP_ALIVE | Label.ZERO_WINDOW_PROBE, False),
        (Word.ANSWER, Label.KEEP_ALIVE_ACK, True),
        (Word.ANSWER, NONE, False),
        (Word.WINDOW_PROBE, Label.ZERO_WINDOW_PROBE | Label.WINDOW_FULL, True),
        (Word.WINDOW_PROBE, Label.KEEP_ALIVE, False),
        (Word.WINDOW_ANSWER, Label.ZERO_WINDOW_PROBE_ACK | Label.ZERO_WINDOW, True),
        (Word.COPY, Label.RETRANSMISSION, True),
        (Word.COPY, Label.KEEP_ALIVE, False),
        (Word.STALE, NONE, True),
        (Word.SENT_AGAIN, Label.FAST_RETRANSMISSION, True),
        (Word.SENT_AGAIN, NONE, False),
        (Word.SENT_AGAIN, Label.KEEP_ALIVE, False),
        (None, Label.RETRANSMISSION | Label.DUPLICATE_ACK, True),
        (None, Label.KEEP_ALIVE_ACK, False),
    ],
)
def test_agreement(word, labels, expected):
    """A word and labels agree if they say the same about keepalive, window probes and what was sent again."""
    assert expected == agree(word, labels)


def test_there_is_a_word_for_everything_the_record_has():
    """Every word of the record's not_probes is one here."""
    assert set(NOT_PROBE_WORDS.values()) <= set(Word)


def test_each_label_about_keepalive_is_expected_of_one_word():
    """The four labels of the family stand for four words."""
    combined = NONE
    for label in EXPECTED.values():
        combined |= label

    assert FAMILY == combined
    assert 4 == len(EXPECTED)
