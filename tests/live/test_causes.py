"""Causes against fresh kernel truth: the lab's scenarios of what passes beside a flow."""

import pytest

from analyzer.analyzing import analyze
from captures.recipes.lab import playing
from tests.causes.truth import EXPECTED, cause, probed


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder with a capture of every scenario."""
    if reason := playing.why_not(EXPECTED):
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("beside")
    said = []
    failed = playing.play_all(list(EXPECTED), out, 8, said.append, sampled=False)
    assert not failed, "\n".join(said)
    return out


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_the_cause_is_the_true_one(played, name, tmp_path):
    """What is played now has the cause that was made true."""
    # of eight at a time on a busy machine one may end before its evidence is on the wire: it is played again, alone
    if EXPECTED[name] != found(played, name):
        assert not playing.play_all([name], tmp_path, 1, print, sampled=False)
        played = tmp_path

    assert EXPECTED[name] == found(played, name)


def found(folder, name):
    """The cause of the probed flow of a scenario."""
    (path,) = folder.glob(f"{name}.pcap*")
    return cause(probed(analyze(path)))
