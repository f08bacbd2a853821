"""The cause in a story: what leads, what bears it out, who must act, what remains."""

from analyzer import explain
from tests.causes.kinds.test_told_by_icmp import told
from tests.causes.scenes import dead
from tests.judging import scenario, texts


def headings(judged):
    """The headings of a story, in order."""
    return [section.heading for section in explain.story(judged, judged.record.first_ns).sections]


def test_a_proven_cause_leads():
    """A proven cause leads the headline; evidence and who must act come first."""
    made = told(3, 13)

    assert made.headline().startswith("10.0.0.254 rejects this connection's packets")
    assert headings(made.judged())[:2] == ["Evidence", "Who must act"]
    assert "prove" in made.section("Evidence")
    assert "10.0.0.254" in made.section("Who must act")


def test_what_is_only_possible_does_not_lead():
    """Where several causes fit, the headline says what happened, and what remains is listed with what would tell."""
    made = dead()

    assert headings(made.judged())[:2] == ["Evidence", "What it may be, and how to find out"]
    assert "host-silent" in made.section("What it may be, and how to find out")
    assert "arp or icmp" in made.section("What it may be, and how to find out")


def test_what_a_finding_tells_is_not_told_twice():
    """A cause that a finding leads already has no sections of its own."""
    assert "Who must act" not in headings(scenario("half_open_connection_discovered")[0])


def test_a_capture_that_has_arp_is_not_told_to_lack_it():
    """Who captured ARP is advised to capture ICMP, and is not told that ARP is missing."""
    said = dead().section("What it may be, and how to find out")

    assert "If ICMP was filtered out of this capture" in said
    assert "a capture with ARP" not in said


def test_a_connection_on_the_same_ports_is_pointed_to():
    """Where another connection took the ports of a silent one, its story tells whether host and way were well."""
    (silent, _) = scenario("data_unanswered_until_its_ports_are_used_again")
    story = explain.story(silent, silent.record.first_ns)

    assert "until another connection took its addresses and ports" in story.headline
    assert "Another connection on the same addresses and ports began at +" in texts(
        story, "What it may be, and how to find out"
    )
