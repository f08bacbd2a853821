"""Stories laid out."""

import pytest

from analyzer import explain
from analyzer.report import filter_commands
from analyzer.report.screen import Screen
from analyzer.report.story_text import frames_column, story, story_object, told_story

FOUNDING = "founding_go_fin60.pcap"


@pytest.fixture
def told(flow):
    """A function that lays out the founding story."""

    def lay_out(width=80, **options):
        judged, start_ns = flow(FOUNDING)
        return list(story(judged, start_ns, Screen(width), **options))

    return lay_out


def test_every_statement_is_there_with_its_frames(flow, told):
    """Nothing that explain says is lost in the layout."""
    judged, start_ns = flow(FOUNDING)
    words = " ".join(" ".join(told()).split())
    whole = explain.story(judged, start_ns)

    assert all(
        " ".join(line.text.split()) in words
        for part in whole.sections
        if part.heading != "Timeline"
        for line in part.lines
    )
    assert whole.headline in words


def test_the_timeline_aligns(told):
    """Instants and frames of the timeline stand in columns, and what does not fit goes on below the text."""
    lines = told(60)
    first = lines.index("Timeline") + 1
    block = lines[first : lines.index("", first)]
    starts = [line for line in block if line.lstrip().startswith("+")]
    at = starts[0].index("client opens")

    assert len(starts) > 5
    assert {" "} == {line[at - 1] for line in block}
    assert all(line[at] != " " for line in block)


def test_the_capture_is_named_where_there_are_several(told):
    """The title begins with the file, spelled out."""
    assert told(200, capture="a\x1bb.pcap")[0].startswith("a\\x1bb.pcap: Flow 0")


def test_a_story_is_json_too(flow):
    """The same words and frames are given as data."""
    judged, start_ns = flow(FOUNDING)
    whole = explain.story(judged, start_ns)

    data = story_object(judged, start_ns)["story"]

    assert whole.headline == data["headline"]
    assert [section.heading for section in whole.sections] == [section["heading"] for section in data["sections"]]
    assert list(whole.sections[0].lines[0].frames) == data["sections"][0]["lines"][0]["frames"]


def test_a_told_story_is_text_and_markup(flow):
    """A story for a notebook prints as the command tells it, and has the same sections as markup."""
    judged, start_ns = flow(FOUNDING)
    told = told_story(judged, start_ns)

    assert "\n".join(story(judged, start_ns, Screen())).rstrip() == str(told)
    assert all(section.heading in told._repr_html_() for section in told.sections)
    assert explain.story(judged, start_ns).sections == told.sections


def test_a_story_ends_with_a_filter(flow, told):
    """The last part has Wireshark's filter of the flow, and fits the width."""
    lines = told()
    last = " ".join(" ".join(lines[lines.index("To look for yourself") :]).split())

    label, text = filter_commands.to_copy(flow(FOUNDING)[0])[0]
    assert last.endswith(f"- {label}: {text}")
    assert [] == [line for line in lines if len(line) > 80]


def test_filters_of_joined_files_say_how_to_join_them(told):
    """Where frames count through rotated files, the part with filters begins with how to have one file."""
    lines = told(joined=True)
    first = " ".join(lines[lines.index("To look for yourself") + 1 :][:2])

    assert first.endswith("mergecap -a -w JOINED.pcapng" + " " * 5 + "FILE...")
    assert "mergecap" not in "".join(told())


def test_a_live_capture_has_nothing_to_filter(told):
    """Where there is no file, the story ends without filters, and is otherwise the same."""
    lines = told()

    assert lines[: lines.index("To look for yourself")] == told(live=True)


def test_a_long_list_of_frames_does_not_squeeze_a_timeline():
    """Scattered frames are counted in the timeline's column, which is never wider than twenty characters."""
    assert frames_column((1, 2, 3)) == "1-3"
    assert frames_column((10, 11, 13, 14, 18, 19)) == "10-11, 13-14, 18-19"
    assert frames_column((166, 167, 174, 175, 188, 189, 204, 205)) == "8 of 166-205"
    assert not frames_column(())
