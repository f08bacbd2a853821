"""That a NAT used the port of a connection again is told: whose packets these are, and what it means."""

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantage.test_strays import renamed, reused
from tests.vantages import ACK, PSH


def test_a_reset_of_another_connection_leads_the_story(tmp_path):
    """The headline denies that the client sent the RST, and the meaning says that a box forgot it, and to do what."""
    made, _, _ = reused()
    joined = join(*made.write(tmp_path))

    story = joint_story(joined.flows[0], joined.points, joined.zero)

    assert story.headline.startswith("A RST of another connection ended it: at A that RST is 192.0.2.77:41111's,")
    assert "the client, which did not send it" in story.headline
    meaning = [line.text for line in story.section("What it means").lines]
    assert meaning[0].startswith("2 packets of this connection are another one's at A, that of 192.0.2.77:41111:")
    assert "gave both 203.0.113.5:50000 at B [frames A " in meaning[0]
    assert "The client had sent nothing for 6 min 38 s before." in meaning[1]
    assert any("more often than that box remembers" in text for text in meaning)
    (ended,) = story.section("Who ended it").lines
    assert ended.text.startswith("RST of 192.0.2.77:41111, another connection at A, in the name of the client")
    assert not any("is its own" in line for line in (story.headline, ended.text))


def test_data_of_the_old_one_that_comes_to_the_new_one_is_told(tmp_path):
    """What the first client sends later meets the other's connection at the server: that is said of that one."""
    made, a, b = reused()
    for at_s in (402.0, 402.3):
        made.send(at_s, "a", ACK | PSH, a + 31, b + 1, b"still?")
    made.client = ("192.0.2.77", 41111)
    made.send(403.0, "a", ACK | PSH, 5_000_006, 9_000_001, b"hello")
    joined = join(*made.write(tmp_path))

    (new,) = (flow for flow in joined.flows if str(flow.parts[0].judged.record.a) == "192.0.2.77:41111")
    told = [line.text for line in joint_story(new, joined.points, joined.zero).section("What it means").lines]

    assert any("that of 192.0.2.1:40000" in text for text in told)


def test_an_end_that_is_translated_anew_is_told(tmp_path):
    """The RST of a server is explained: it was asked under a name that it does not know, as a NAT had forgotten."""
    joined = join(*renamed().write(tmp_path))

    story = joint_story(joined.flows[0], joined.points, joined.zero)

    assert story.headline.startswith("The server reset the connection when a probe came: the RST is its own.")
    assert "gave the client another address or port in mid-connection" in story.headline
    meaning = " ".join(line.text for line in story.section("What it means").lines)
    assert "From +400.000 on 2 packets of this connection have another address or port at B" in meaning
    assert "the client is 203.0.113.5:5626 there, not 203.0.113.5:50000" in meaning
    assert "It answers with a RST." in meaning
    assert story.section("Who ended it").lines[0].text.startswith("RST from the server: it left on its side of B")
