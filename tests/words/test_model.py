"""A story is sections of lines, each with its frames."""

from analyzer.explain import Line, Section, Story


def test_a_section_is_found_by_its_heading():
    """A story gives a section by its heading, and None where there is none."""
    why = Section("Why", (Line("Because.", (1,)),))
    story = Story("Flow 0", "It ended.", (why,))

    assert why is story.section("Why")
    assert None is story.section("What to change")
