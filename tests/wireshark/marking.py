"""Comments of finished flows, for tests."""

from analyzer.judge import verdict
from analyzer.wireshark.comments import comments, marks_of
from analyzer.wireshark.mark_store import Marks


def comments_of(batches):
    """Comments by frame."""
    with Marks() as marks:
        for batch in batches:
            marks.add(marks_of(batch, verdict.decide(batch)))
        return dict(comments(marks))
