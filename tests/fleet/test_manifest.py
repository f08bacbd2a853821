"""A point's manifest."""

import json

import pytest

from analyzer.fleet import manifest
from analyzer.fleet.manifest import Manifest, ManifestError, ReadFile, Tables


def some():
    """Return a manifest with everything in it."""
    tables = Tables(
        (ReadFile("a\x1b/1.pcap", "9-abc", 9, 5), ReadFile("b", "v", 0, None)),
        (("flows", "x-flows.parquet"),),
        (("captures", "x-captures.parquet"),),
        ("x-state.zst", "0" * 64),
        {"flows": 3},
    )
    return Manifest("a/#.pcap", 1, 2, "0.1", "r", tables, None, (("c.pcap", "is empty"),), "", 7)


def test_a_manifest_comes_back():
    """What is written is what is read."""
    assert some() == manifest.read(some().octets(), "m")


def test_a_manifest_names_all_its_files():
    """Partitions of finished flows, of live ones, and the saved stream."""
    assert {"x-flows.parquet", "x-captures.parquet", "x-state.zst"} == some().names
    assert some().shown == some().furthest


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x\ny", "c:\\x"])
def test_a_manifest_leads_nowhere_else(name):
    """A file that it names is beside it: of a stranger's tables nothing else is read, or removed."""
    found = json.loads(some().octets())
    found["shown"]["parts"] = [["flows", name]]

    with pytest.raises(ManifestError, match="m: is damaged"):
        manifest.read(json.dumps(found).encode(), "m")


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff", b"null"])
def test_a_damaged_manifest_is_refused(octets):
    """What is none is said to be damaged."""
    with pytest.raises(ManifestError):
        manifest.read(octets, "m")


def test_another_format_is_refused():
    """A manifest of a later program is not guessed at."""
    with pytest.raises(ManifestError, match="another format"):
        manifest.read(b'{"format": 2}', "m")


def test_rules_are_one_digest():
    """The digest of what decides is the same each time."""
    assert manifest.rules() == manifest.rules()
    assert 16 == len(manifest.rules())
