"""Which files are one capture point."""

import pytest

from analyzer.fleet.points import Pattern, PatternError, label_of, points_of
from analyzer.fleet.storage import StoredFile


def files(*names):
    """Return files of these names."""
    return [StoredFile(f"/{name}", name, 10, "v") for name in names]


def test_files_of_a_folder_that_differ_in_digits_are_a_point():
    """Without a pattern it is as with ``report``: folder, and name but for its digits."""
    points, left = points_of(files("a/x-1.pcap", "a/x-12.pcap", "a/y-1.pcap", "b/x-1.pcap"))

    assert ["a/x-#.pcap", "a/y-#.pcap", "b/x-#.pcap"] == [point.name for point in points]
    assert (0, 20) == (left, points[0].size)


@pytest.mark.parametrize(
    ("pattern", "path", "name"),
    [
        ("{host}/*.pcap", "archive/web-7/x.pcap", "web-7"),
        ("{host}/*/{interface}-*.pcap", "bucket/web-7/2026-11-28/eth0-001.pcap", "web-7/eth0"),
        ("{host}/**/*.pcap", "web-7/a/b/c/x.pcap", "web-7"),
        ("{host}/**/*.pcap", "web-7/x.pcap", "web-7"),
        ("{host}/x-?.pcap", "web-7/x-12.pcap", None),
        ("{host}/*.pcap", "web-7/2026/x.pcap.gz", None),
        ("{host}/{host}-*.pcap", "a/a-1.pcap", "a"),
        ("{host}/{host}-*.pcap", "a/b-1.pcap", None),
        ("(a+)+{host}.pcap", "(a+)+z.pcap", "z"),
    ],
)
def test_a_pattern_says_which_files_are_a_point(pattern, path, name):
    """Words in braces make the name, stars stand for the rest, and nothing else is special."""
    assert name == Pattern(pattern).name_of(path)


def test_a_pattern_must_name_a_point():
    """Without a word in braces all files would be one."""
    with pytest.raises(PatternError, match="names no point"):
        Pattern("*.pcap")


def test_what_is_of_no_point_is_counted():
    """Files that do not fit the pattern are left out, and how many is known."""
    points, left = points_of(files("a/1.pcap", "b/1.pcap", "b/2.dmp"), Pattern("{host}/*.pcap"))

    assert (["a", "b"], 1) == ([point.name for point in points], left)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "a\x1b]0;x", "-rf", "", "x" * 300, "ä/\N{SNOWMAN}", "\udcff"])
def test_labels_are_safe(name):
    """Whatever a point is called, its folder has letters, digits, points and dashes, and is its own."""
    label = label_of(name)

    assert label.isascii()
    assert set() == set(label) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
    assert label[0] not in ".-"
    assert len(label) <= 57
    assert label != label_of(name + "/")
