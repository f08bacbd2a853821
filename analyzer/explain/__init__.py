"""The story of a flow in plain text, each statement with the frames that bear it out.

What a finding says of itself stands in its record (``analyzer.findings``); here is what joins them into one story, and
the words of verdicts. It must not change a verdict, lay anything out, or know a file; nothing is decided here.
"""

from analyzer.explain.story import detail, headline, long_text, story, who_must_act
from analyzer.words.model import Line, LongText, Section, Story
from analyzer.words.teller import frames_text

__all__ = [
    "Line",
    "LongText",
    "Section",
    "Story",
    "detail",
    "frames_text",
    "headline",
    "long_text",
    "story",
    "who_must_act",
]
