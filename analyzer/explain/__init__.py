"""All the words of the project: what a flow's story is, in plain text, each statement with the frames that bear it out.

It must not change a verdict, lay anything out, or know a file. Words come from findings' data; nothing is decided here.
"""

from analyzer.explain.story import detail, headline, long_text, story
from analyzer.words.model import Line, LongText, Section, Story
from analyzer.words.teller import frames_text

__all__ = ["Line", "LongText", "Section", "Story", "detail", "frames_text", "headline", "long_text", "story"]
