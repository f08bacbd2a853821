"""What the ends of a connection did themselves is told where several points saw it, unless others show it is not so."""

from analyzer.explain.crossings import JointTeller
from analyzer.explain.joined import joint_story
from analyzer.explain.joint_own import own_findings
from analyzer.joining import join
from analyzer.report.joint_html import page
from tests.judging import CAPTURES
from tests.vantages import ACK, FIN, PSH, RST, World, keepalive


def leaked(made, *, fin="both", resets=True):
    """Write a client that closes, and a server that never does: three probes, and a RST if there are ``resets``."""
    a, b = keepalive(made, probes=0)
    made.send(2.0, "a", FIN | ACK, a + 31, b + 1, fate=fin)
    if fin == "both":
        made.send(2.04, "b", ACK, b + 1, a + 32)
    for at_s in (7.0, 12.0, 17.0):
        made.send(at_s, "b", ACK, b, a + 32)
        if at_s < 17 or not resets:
            made.send(at_s + 0.001, "a", ACK, a + 32, b + 1)
        else:
            made.send(at_s + 0.001, "a", RST, a + 32, 0)
    return a, b


def story(paths):
    """Return the story of the first connection of captures."""
    joined = join(*paths)
    return joint_story(joined.flows[0], joined.points, joined.zero)


def codes(paths):
    """Return what is found of the ends of the first connection of captures: code, end and point."""
    joined = join(*paths)
    t = JointTeller(joined.flows[0], joined.points, joined.zero)
    return {(each.finding.code, each.part.side(each.finding.about), each.part.point) for each in own_findings(t)}


def test_a_program_that_never_closed_leads_the_story(tmp_path):
    """That both captures have each packet does not hide that the server never closed: headline, frames and advice."""
    made = World()
    leaked(made)

    told = story(made.write(tmp_path))

    assert told.headline.startswith("The client closed, the server never did: 3 probes after the FIN, 2 answered;")
    assert "The RST is the client's own." in told.headline
    (held,) = (line.text for line in told.section("What the ends did").lines if "did not close" in line.text)
    assert "[frames B 6, 8, 10, 12]" in held
    assert any("read until end of file" in line.text for line in told.section("What to change").lines)
    assert told.section("Keepalive settings, inferred").lines[0].text.startswith("The server: idle time 5 s")


def test_it_is_the_same_in_whatever_order_captures_are_named(tmp_path):
    """Each end is told from the capture nearest to it."""
    made = World()
    leaked(made)

    found = codes(made.write(tmp_path))

    assert ("close-wait-held-by-keepalive", "b", 1) in found
    assert {(code, end, 1 - point) for code, end, point in found} == codes(made.write(tmp_path, swap=True))


def test_half_closed_names_who_closed(tmp_path):
    """The headline of a connection that is half-closed when the captures end says who closed, and who did not."""
    made = World()
    leaked(made, resets=False)

    told = story(made.write(tmp_path))

    assert told.headline.startswith(
        "The client sent FIN; the server sent none in the 15.001 s until the capture of B ended."
    )


def test_a_reset_that_was_made_on_the_way_shows_nothing_of_its_sender(tmp_path):
    """A host is not said to have forgotten a connection where the RST in its name was made between the points."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(20.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(20.001, "b", RST, b + 1, 0, fate="made")
    made.send(21.0, "b", ACK | PSH, b + 1, a + 31, b"still here", fate="lost")
    made.send(22.0, "b", ACK | PSH, b + 1, a + 31, b"still here", fate="lost")
    paths = made.write(tmp_path)

    assert join(paths[0], paths[1]).flows[0].ending.by == "between"
    assert not codes(paths) & {("peer-forgot-connection", "b", point) for point in (0, 1)}
    assert story(paths).headline.startswith("Something between B and A reset the connection in the name of the server")


def test_a_fin_that_was_lost_is_no_program_that_never_closed(tmp_path):
    """An end whose FIN the capture nearest to it has did close, whatever reached the other one."""
    made = World()
    a, b = keepalive(made, probes=0)
    made.send(2.0, "a", FIN | ACK, a + 31, b + 1)
    made.send(2.04, "b", ACK, b + 1, a + 32)
    made.send(7.0, "b", ACK, b, a + 32)
    made.send(7.001, "a", ACK, a + 32, b + 1)
    for at_s in (9.0, 9.4, 10.2):
        made.send(at_s, "b", FIN | ACK, b + 1, a + 32, fate="lost")
    made.send(30.0, "b", ACK, b + 2, a + 32)

    assert "close-wait-held-by-keepalive" not in {code for code, _, _ in codes(made.write(tmp_path))}


def test_page_and_text_tell_the_same(tmp_path):
    """The page has the sections that the text has."""
    made = World()
    leaked(made)
    joined = join(*made.write(tmp_path))

    assert "What the ends did" in joined.explain(0)
    assert "What the ends did" in page(joined)
    assert {"close-wait-held-by-keepalive", "fin-wait-2-expired"} == {
        each["code"] for each in joined.fields(0)["findings"]
    }


def test_one_captures_story_has_it_already():
    """What a router's capture tells of both its sides beside the story does not repeat the story."""
    joined = join(CAPTURES / "lab" / "any_router_sll.pcap")
    flow = joined.flows[0]

    assert joint_story(flow, joined.points, joined.zero, own=False).section("Keepalive settings, inferred") is None
    assert joint_story(flow, joined.points, joined.zero).section("Keepalive settings, inferred") is not None


def test_a_client_that_does_not_read_is_told_though_nothing_was_lost(tmp_path):
    """A window that stays closed makes a connection one that has something to tell, and says whose program it is."""
    made = World()
    a, b = keepalive(made, probes=0)
    made.send(1.0, "b", ACK | PSH, b + 1, a + 31, bytes(500))
    made.send(1.01, "a", ACK, a + 31, b + 501, window=0)
    for at_s in (1.3, 1.9, 3.1, 5.5, 10.3):
        made.send(at_s, "b", ACK, b + 500, a + 31)
        made.send(at_s + 0.001, "a", ACK, a + 31, b + 501, window=0)
    joined = join(*made.write(tmp_path))

    assert [0] == joined.eventful
    told = joint_story(joined.flows[0], joined.points, joined.zero)
    assert any(
        "probed the client's closed window 5 times" in line.text for line in told.section("What the ends did").lines
    )
    assert any(
        line.text.startswith("The client: read what has arrived") for line in told.section("What to change").lines
    )


def large(made, *, lost):
    """Write a server whose large segment is sent six times, while the client's probes are answered."""
    a, b = keepalive(made, probes=0)
    for at_s in (1.0, 1.2, 1.6, 2.4, 4.0, 7.2):
        made.send(at_s, "b", ACK | PSH, b + 1, a + 31, bytes(1448), fate="lost" if lost else "both")
    for at_s in (3.0, 5.0, 9.0, 11.0):
        made.send(at_s, "a", ACK, a + 30, b + 1)
        made.send(at_s + 0.001, "b", ACK, b + 1449, a + 31)


def test_large_segments_that_are_lost_between_the_points_lead(tmp_path):
    """That only large segments are lost is told where the points show the loss between them, not where they passed."""
    lost, passed = World(), World()
    large(lost, lost=True)
    large(passed, lost=False)
    (tmp_path / "passed").mkdir()

    told = story(lost.write(tmp_path))

    assert told.headline.startswith("The server's segment of 1,448 bytes was retransmitted 5 times")
    assert any("check the path's MTU" in line.text for line in told.section("What to change").lines)
    assert "large-segments-lost" not in {code for code, _, _ in codes(passed.write(tmp_path / "passed"))}
