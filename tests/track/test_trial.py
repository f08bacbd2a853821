"""Silences as trials: what survives, what waits, what does not."""

import numpy as np
import pytest

from analyzer.loops.loop import freeze, records, thaw
from analyzer.track.flow import keys_of
from analyzer.track.trial import TRIALS, fold, step_of
from tests.notation import follow, parse

OPENING = "# A silence.\n+0 a > b S 0:0(0)\n+.01 b > a S. 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"


def trials(text, *, jit=False):
    """The longest silence survived and the one that waits, in seconds, with the frames at their ends."""
    (batch,) = follow([parse(OPENING + text + "\nverdict: open\n").batch()], jit=jit)
    flow = batch.flow[0]
    return [
        (round(int(flow[f"{name}_ns"]) / 1e9, 1), int(flow[f"{name}_from"]), int(flow[f"{name}_to"]))
        for name in ("survived", "trial")
    ]


@pytest.mark.parametrize(
    ("text", "survived", "waiting"),
    [
        ("+20 a > b . 0:0(0) ack 1\n+.1 b > a . 1:1(0) ack 1", (20.0, 3, 4), 0),
        ("+20 a > b . 0:0(0) ack 1\n+5 a > b . 0:0(0) ack 1", (0, 0, 0), (20.0, 3, 4)),
        ("+20 a > b . 0:0(0) ack 1\n+.1 b > a R 1:1(0)", (0, 0, 0), (20.0, 3, 4)),
        ("+20 b > a R. 1:1(0) ack 1", (0, 0, 0), 0),
        ("+.5 a > b P. 1:6(5) ack 1\n+.1 b > a . 1:1(0) ack 6", (0, 0, 0), 0),
        ("+20 a > b P. 1:6(5) ack 1\n+.1 b > a . 1:1(0) ack 6\n+30 a > b P. 6:9(3) ack 1", (20.0, 3, 4), (30.0, 5, 6)),
    ],
    ids=["answered", "unanswered", "reset", "reset unasked", "short", "one of each"],
)
@pytest.mark.parametrize("jit", [False, True])
def test_what_becomes_of_a_silence(text, survived, waiting, jit):
    """A silence is survived once the other end reacts with anything but a RST, else it waits; a RST tries none."""
    found = trials(text, jit=jit)

    assert found[0] == survived
    assert found[1] == waiting or (waiting == 0 and found[1][0] == 0)


@pytest.mark.parametrize("jit", [False, True])
def test_a_silence_behind_the_end_tries_nothing(jit):
    """What wakes up after the other end gave up, and draws its RST, broke no silence of a connection."""
    gave_up = "+5 a > b . 0:0(0) ack 1\n+5 a > b . 0:0(0) ack 1\n+5 a > b R. 1:1(0) ack 1\n"
    woke = "+1800 b > a . 0:0(0) ack 1\n+.001 a > b R 1:1(0) win 0"

    assert trials(gave_up + woke, jit=jit)[1] == (0, 0, 0)
    assert trials(gave_up, jit=jit)[1] == (5.0, 3, 4)


def test_after_a_fin():
    """A silence of a half-closed flow is told apart."""
    text = "+1 b > a F. 1:1(0) ack 1\n+.1 a > b . 1:1(0) ack 2\n+20 a > b . 0:0(0) ack 2\n+.1 b > a . 2:2(0) ack 1"
    (batch,) = follow([parse(OPENING + text + "\nverdict: half_closed\n").batch()])

    assert batch.flow["survived_half"].tolist() == [1]


@pytest.mark.parametrize("jit", [False, True])
def test_a_group_is_told_by_the_silence_that_says_most(jit):
    """The longest that survived stands for its group, of equals the last; of the others the shortest, the first."""
    rows = np.zeros(6, dtype=TRIALS)
    rows["port"] = 5432
    rows["died"] = [0, 0, 0, 1, 1, 1]
    rows["ns"] = [20, 30, 30, 60, 50, 50]
    rows["number"] = np.arange(6)
    rows["count"] = 1
    rows["first_ns"] = rows["last_ns"] = [5, 4, 6, 9, 8, 7]
    found = records(TRIALS, 6, jit=jit)
    slots = np.zeros(16, dtype=np.int64) if jit else [0] * 16
    keys = np.array(keys_of(7)) if jit else list(keys_of(7))

    count = fold.choose(jit=jit)(thaw(rows, jit=jit), slots, found, keys)

    told = freeze(found[:count], TRIALS)[["died", "ns", "number", "count", "first_ns", "last_ns"]].tolist()
    assert told == [(0, 30, 2, 3, 4, 6), (1, 50, 4, 3, 7, 9)]


def test_entries_that_share_a_hash_are_told_apart():
    """Groups whose digests are the same, as with keys of zero, do not add up to one."""
    rows = np.zeros(40, dtype=TRIALS)
    rows["lo"] = np.arange(40) % 20
    rows["count"] = 1
    found = records(TRIALS, 40, jit=False)

    count = fold.bare(thaw(rows, jit=False), [0] * 128, found, [0] * 5)

    assert [(entry["lo"], entry["count"]) for entry in found[:count]] == [(lo, 2) for lo in range(20)]


@pytest.mark.parametrize("ns", [3_000_000_000, 4 << 30, 5_999_999_999, 900 * 10**9, 10**15])
def test_a_step_is_more_than_an_eighth(ns):
    """What is an eighth longer is at most one step on; twice as long is four."""
    assert step_of.bare(ns + ns // 8) - step_of.bare(ns) in (0, 1)
    assert step_of.bare(2 * ns) - step_of.bare(ns) == 4


@pytest.mark.parametrize("died", [0, 1])
def test_those_near_the_one_that_says_most_are_counted(died):
    """In whatever order and in whatever parts silences come, those in its step and in the next one are the same."""
    steps = [4, 4, 5, 5, 5, 6, 7, 8, 8, 10]
    expected = (2, 3) if died else (1, 0)
    rng = np.random.default_rng(5)
    for _ in range(20):
        rows = np.zeros(len(steps), dtype=TRIALS)
        rows["ns"] = [(4 + step % 4) << (step // 4 + 29) for step in rng.permutation(steps)]
        rows["count"] = rows["there"] = 1
        rows["died"] = died
        cuts = sorted(rng.integers(1, len(steps), 2).tolist())
        parts = [folded(some) for some in np.split(rows, cuts) if len(some)]
        (told,) = folded(np.concatenate(parts))
        assert (told["there"], told["beside"]) == expected


def folded(rows):
    """Entries added up."""
    found = records(TRIALS, len(rows), jit=False)
    count = fold.bare(thaw(rows, jit=False), [0] * 64, found, list(keys_of(7)))
    return freeze(found[:count], TRIALS)
