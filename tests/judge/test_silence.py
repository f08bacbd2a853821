"""What was unanswered, and what only the capture does not have."""

import pytest

from analyzer.judge import silence
from tests.notation import follow, parse
from tests.tables import first_paragraph

OPENING = """# A flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
"""
ECHOES = """+5 b > a . 1:1(0) ack 1 <ts 100 7>
+5 a > b . 0:0(0) ack 1 <ts 9 {}>
+5 a > b . 0:0(0) ack 1 <ts 9 {}>
end: +6
"""
"""Two unanswered probes that echo timestamps of the peer, whose last one captured is 100."""
CONDITIONS = (
    silence.probes_unanswered_to_the_end,
    silence.data_unanswered_to_the_end,
    silence.fin_unanswered_to_the_end,
    silence.acknowledgements_not_captured,
    silence.heard_what_was_not_captured,
    silence.answers_may_be_dropped,
)


def holds(text):
    """Return the names of the conditions that hold of one flow after a handshake."""
    (batch,) = follow([parse(OPENING + text).batch()])
    return {condition.__name__ for condition in CONDITIONS if condition(batch)[0]}


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("+5 a > b . 0:0(0) ack 1\n+2 a > b . 0:0(0) ack 1\nend: +2\n", {"probes_unanswered_to_the_end"}),
        ("+5 a > b . 0:0(0) ack 1\n+2 a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\nend: +2\n", set()),
        ("+1 a > b P. 1:9(8) ack 1\n+.3 a > b P. 1:9(8) ack 1\nend: +1\n", {"data_unanswered_to_the_end"}),
        ("+1 a > b P. 1:9(8) ack 1\n+.3 a > b P. 1:9(8) ack 1\nend: +.3\n", set()),
        ("+1 a > b P. 1:9(8) ack 1\n+.01 a > b P. 1:9(8) ack 1\nend: +9\n", set()),
        ("+1 a > b P. 1:9(8) ack 1\nend: +9\n", set()),
        (
            "+1 a > b F. 1:1(0) ack 1\n+.3 a > b F. 1:1(0) ack 1\nend: +1\n",
            {"data_unanswered_to_the_end", "fin_unanswered_to_the_end"},
        ),
        ("+1 b > a . 1:70001(70000) ack 1\nend: +2\n", set()),
        ("+1 b > a . 1:70001(70000) ack 1\nend: +4\n", {"acknowledgements_not_captured"}),
        ("+1 b > a . 1:70001(70000) ack 1\n+.3 b > a . 1:1001(1000) ack 1\n", set()),
        ("+1 b > a . 1:40001(40000) ack 1\nend: +4\n", set()),
        (
            "+1 a > b P. 1:9(8) ack 1\n+.3 a > b P. 1:9(8) ack 1\n+.6 a > b P. 1:9(8) ack 77\nend: +1\n",
            {"data_unanswered_to_the_end", "heard_what_was_not_captured"},
        ),
        (
            ECHOES.format(100, 150),
            {"probes_unanswered_to_the_end", "heard_what_was_not_captured"},
        ),
        (
            ECHOES.format(50, 100),
            {"probes_unanswered_to_the_end"},
        ),
    ],
)
def test_when_a_silence_counts(text, conditions):
    """Unanswered counts after an interval, sent again only by a timer, and not what was answered out of sight."""
    assert conditions == holds(text)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_is_a_sentence(condition):
    """What holds of a flow is said in one sentence."""
    assert first_paragraph(condition).endswith(".")
