"""From when on a direction was cut, as losses show together, and what a silence before suggests."""

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantages import ACK, PSH, RST, World, keepalive


def told(tmp_path, made):
    """What the captures mean together, and the headline."""
    joined = join(*made.write(tmp_path))
    story = joint_story(joined.flows[0], joined.points, joined.points[0].first_ns)
    means = [line.text for section in story.sections if section.heading == "What it means" for line in section.lines]
    return story.headline, " ".join(means)


def beside(made, until_s):
    """Another connection that both captures have, so that they surely run."""
    made.client = ("192.0.2.9", 41000)
    keepalive(made, isn=(500_000, 900_000), probes=int(until_s // 10), every_s=10.0)


def test_a_box_that_forgot_after_a_silence(tmp_path):
    """What both ends send is lost from one time on, behind a silence of minutes: perhaps forgotten."""
    made = World()
    keepalive(made, probes=2)
    for at in range(4):
        made.send(400 + 75 * at, "a", ACK, 1030, 2**32 - 2, fate="lost")
        made.send(410 + 75 * at, "b", ACK, 2**32 - 3, 1031, fate="lost")
    beside(made, 900)

    _, means = told(tmp_path, made)

    assert "From +400.000 on nothing passed between A and B in either direction: 8 packets were lost there" in means
    assert "nothing had passed for 6 min 36 s" in means
    assert "may have forgotten this one: inferred from the silence" in means


def test_one_direction_that_was_cut(tmp_path):
    """Where the other direction still passes, that is said, and no box that forgets is named."""
    made = World()
    keepalive(made, probes=2)
    for at in range(5):
        made.send(10 + 2 * at, "a", ACK | PSH, 1031, 2**32 - 2, b"ask")
        made.send(10.01 + 2 * at, "b", ACK | PSH, 2**32 - 2, 1034, b"told", fate="lost")
    beside(made, 90)

    _, means = told(tmp_path, made)

    assert "From +10.010 on nothing that the server sent passed between A and B: 5 packets were lost there" in means
    assert "In the other direction packets still passed, the last at +18.0" in means
    assert "forgotten" not in means


def test_single_losses_are_no_cut(tmp_path):
    """Nothing is concluded where later packets of the same end passed."""
    made = World()
    keepalive(made, probes=8, lost=(3, 4))
    beside(made, 90)

    assert not told(tmp_path, made)[1]


def test_a_box_that_answers_for_the_server(tmp_path):
    """Answers without the timestamp that all else of the server bears were most likely made on the way; so it leads."""
    made = World()
    keepalive(made, probes=2)
    for at in range(3):
        made.send(100 + 60 * at, "a", ACK, 1030, 2**32 - 2, fate="lost")
        made.timestamps = made.ids = False
        made.send(100.001 + 60 * at, "b", ACK, 2**32 - 2, 1031, fate="made", ttl=63)
        made.timestamps = made.ids = True
    beside(made, 400)

    headline, means = told(tmp_path, made)

    assert "3 most likely lost between A and B." in headline
    assert "Most likely something between B and A sent 3 packets in the name of the server." in headline
    assert "From +100.000 on nothing that the client sent passed between A and B" in means
    assert "In the other direction" not in means


def test_a_reset_of_the_prober_that_is_lost_too(tmp_path):
    """The RST of who gave up is one of what was lost."""
    made = World()
    keepalive(made, probes=2)
    for at in range(3):
        made.send(100 + 60 * at, "a", ACK, 1030, 2**32 - 2, fate="lost")
    made.send(280, "a", RST | ACK, 1031, 2**32 - 2, fate="lost")
    beside(made, 400)

    _, means = told(tmp_path, made)

    assert "4 packets were lost there" in means
    assert "may have forgotten" in means
