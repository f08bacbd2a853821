"""Facts of a case."""

import pytest

from analyzer.wireshark import difference_conditions
from analyzer.wireshark.compared_frame import ComparedFrame, Seen, Word
from analyzer.wireshark.frame_labels import NONE, Label

ROW = {
    **dict.fromkeys(("seq", "ack", "snd_nxt", "snd_una", "rcv_nxt", "own_fin_seq", "payload_len"), 0),
    **dict.fromkeys(("tsval", "own_tsval", "own_last_ns", "ts_ns", "peer_last_ns", "tsecr"), -1),
    "options_cut": 0,
    "window": 512,
    "ip_id": 7,
}


def case(word=None, labels=NONE, *, row=None, **more):
    """A case of a frame of a."""
    return ComparedFrame(
        Seen(9, "a", word, labels, None if row is None else ROW | row), more.pop("record", None), **more
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"tsval": 5000, "own_tsval": 1000, "own_last_ns": 0, "ts_ns": 400_000_000}, True),
        ({"tsval": 1400, "own_tsval": 1000, "own_last_ns": 0, "ts_ns": 400_000_000}, False),
        ({"tsval": 5000, "own_tsval": 1000, "own_last_ns": 0, "ts_ns": 4_000_000_000}, False),
        ({"tsval": 10, "own_tsval": 2**32 - 4000, "own_last_ns": 0, "ts_ns": 400_000_000}, True),
        ({"tsval": 1000, "own_tsval": 1100, "own_last_ns": 0, "ts_ns": 400_000_000}, False),
        ({"tsval": -1, "own_tsval": -1, "own_last_ns": 0, "ts_ns": 400_000_000}, False),
        (None, False),
    ],
)
def test_a_timestamp_clock_that_ran_faster_than_the_capture(row, expected):
    """TSval may count 1 ms at least; where it counted more than twice the capture's time, that time is wrong."""
    assert expected == difference_conditions.times_are_wrong(case(Word.NOT_IDLE, row=row))


def test_an_even_clock_is_wrong():
    """Segments that come evenly throughout say nothing about time."""
    assert difference_conditions.times_are_wrong(case(Word.NOT_IDLE, row={}, even_clock=True))


def test_what_is_unknown_is_no_fact():
    """Without a row, a record or another frame, no condition that needs it holds."""
    bare = case()
    needs_more = [
        getattr(difference_conditions, name)
        for name in (
            "number_of_own_syn",
            "number_of_own_fin",
            "same_packet_as_the_answer",
            "began_midstream",
            "sender_had_sent_no_data",
            "more_is_outstanding",
            "headers_are_cut",
            "not_yet_acknowledged",
            "clock_ran_backwards",
            "prober_sent_more_before_it",
            "first_of_its_sender",
            "acknowledges_more",
            "goes_beyond",
            "was_a_candidate",
            "window_probes_carried_it",
            "its_number_is_not_of_this_connection",
            "what_it_answers_is_no_probe",
            "what_it_answers_is_undecided",
            "what_it_answers_was_answered",
            "comes_too_late_to_answer",
            "wireshark_marked_the_probe",
            "wireshark_missed_the_probe",
            "wireshark_missed_the_window_probe",
        )
    ]

    assert [] == [condition.__name__ for condition in needs_more if condition(bare)]


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("more_is_outstanding", {"seq": 5, "snd_nxt": 7}, True),
        ("more_is_outstanding", {"seq": 5, "snd_nxt": 6}, False),
        ("not_yet_acknowledged", {"seq": 5, "snd_una": 5}, True),
        ("not_yet_acknowledged", {"seq": 5, "snd_una": 6}, False),
        ("number_of_own_fin", {"seq": 5, "own_fin_seq": 5}, True),
        ("goes_beyond", {"seq": 5, "payload_len": 2, "snd_nxt": 6}, True),
        ("goes_beyond", {"seq": 5, "payload_len": 1, "snd_nxt": 6}, False),
        ("acknowledges_more", {"ack": 6, "rcv_nxt": 5}, True),
        ("headers_are_cut", {"options_cut": 1}, True),
        ("first_of_its_sender", {"own_last_ns": -1}, True),
    ],
)
def test_numbers_are_compared_as_the_sentence_says(name, row, expected):
    """A condition over numbers holds exactly where its sentence does."""
    assert expected == getattr(difference_conditions, name)(case(row=row))


def test_the_number_of_the_syn_is_as_on_the_wire():
    """Unwrapped numbers are compared by their low 32 bits."""
    assert difference_conditions.number_of_own_syn(case(row={"seq": (1 << 32) + 7}, iss=7))
    assert not difference_conditions.number_of_own_syn(case(row={"seq": 8}, iss=7))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("wireshark_says_keep_alive", Label.KEEP_ALIVE),
        ("wireshark_says_answer", Label.KEEP_ALIVE_ACK),
        ("wireshark_says_window_probe", Label.ZERO_WINDOW_PROBE),
        ("wireshark_says_new_window", Label.WINDOW_UPDATE),
        ("wireshark_says_closed_window", Label.ZERO_WINDOW),
        ("wireshark_says_missed", Label.LOST_SEGMENT),
        ("wireshark_says_missed", Label.ACK_LOST_SEGMENT),
        ("wireshark_says_out_of_order", Label.OUT_OF_ORDER),
    ],
)
def test_a_label_is_asked_for_by_name(name, labels):
    """What Wireshark says is its label, with or without others."""
    condition = getattr(difference_conditions, name)

    assert condition(case(labels=labels | Label.WINDOW_FULL))
    assert not condition(case(labels=Label.WINDOW_FULL))
