"""Why answers that were sent may not be in the capture, in words, by the row of VERDICTS that says so.

It must not decide that they were sent.
"""

from __future__ import annotations

from typing import Final

NOT_CAPTURED: Final = {
    "acknowledgements-not-captured": "acknowledgements that must have come are not in the capture",
    "answers-not-captured": "the peer was heard by the other end meanwhile, but not captured",
    "fin-answer-not-captured": "the peer was heard by the other end after its FIN, but not captured",
    "more-probes-than-any-count": "more probes in a row seem unanswered than a prober sends before it gives up",
}
"""Why a flow is undetermined, by the row of VERDICTS: what would have answered passed elsewhere."""
PERHAPS_DROPPED: Final = {
    "fin-answer-perhaps-dropped": "what answered the FIN may be among the packets that were dropped while capturing",
    "answers-perhaps-dropped": "what answered may be among the packets that were dropped while capturing",
}
"""The same, where nothing shows that an answer passed, and something shows that packets were lost here."""
