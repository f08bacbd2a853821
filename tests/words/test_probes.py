"""What every story with probes in it says."""

from analyzer.explain import story
from analyzer.words.probes import Waited, in_all, last_heard, probe_summary, turned_back, waited
from analyzer.words.teller import Teller
from tests.judging import captured, opened, scenario


def test_each_prober_has_a_line():
    """Every end that probed is named with its probes and how many were answered."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")

    assert [
        "The client sent 1 keepalive probe, answered.",
        "The server sent 15 keepalive probes, 14 answered, 1 drew a RST.",
    ] == [line.text for line in probe_summary(Teller(judged, start_ns))]


def test_until_when_probes_were_answered_is_said():
    """Where the last probe was answered, its time shows until when the peer's kernel was alive."""
    answered = "+5 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
    all_of_them, all_but_one = opened(2 * answered), opened("+5 a > b . 5:5(0) ack 1\n" + 2 * answered)

    told = [probe_summary(Teller(judged, judged.record.first_ns))[0].text for judged in (all_of_them, all_but_one)]
    assert told[0].startswith("The client sent 2 keepalive probes, all answered, the last at +")
    assert "3 keepalive probes, 2 answered; the last, at +" in told[1]


def test_probes_that_icmp_quotes_were_not_lost():
    """Where a router sends back each of the last probes, no story offers that they, or their answers, were lost."""
    (judged,) = scenario("icmp_error_quoting_a_probe")
    (silent,) = scenario("dead_peer_gave_up")
    told, lost = (" ".join(str(story(each, each.record.first_ns)).split()) for each in (judged, silent))

    assert turned_back(Teller(judged, 0), "a")
    assert not turned_back(Teller(silent, 0), silent.ending.by)
    assert "nobody was there to answer" not in told
    assert "cannot tell a dead host" not in told
    assert "nobody was there to answer" in lost


def test_how_many_probes_there_were_is_said_once():
    """Where the total is not told yet it is, with what became of the probes."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    t = Teller(judged, start_ns)

    assert "16 probes in all: 15 answered, 1 drew a RST." == in_all(t, "12 probes after the FIN, 116 probes elsewhere.")
    assert None is in_all(t, "16 probes, 15 answered.")
    assert None is in_all(Teller(scenario("idle_without_keepalive")[0], 0), "")


def test_a_rst_that_a_headline_names_need_not_be_what_a_probe_drew():
    """Probes that all drew a RST are told to have, unless the headline speaks of a probe's RST already."""
    t = Teller(opened("+5 b > a . 0:0(0) ack 6\n+.01 a > b R 6:6(0) win 0\n"), 0)

    assert "1 probe in all, which drew a RST." == in_all(t, "A RST ended the connection.")
    assert "1 probe in all." == in_all(t, "A RST in answer to a probe ended the connection.")


def test_that_nobody_probed_is_said():
    """Without a probe that is said, of the whole flow."""
    (judged,) = scenario("idle_without_keepalive")
    (line,) = probe_summary(Teller(judged, 0))

    assert ("No keepalive probe was captured.", (judged.record.first_frame, judged.record.last_frame)) == (
        line.text,
        line.frames,
    )


def test_the_last_word_is_told_with_its_frame():
    """When an end was last heard is told, and the frame that shows it; of an end that was never heard nothing is."""
    (judged,), start_ns = captured("dead_peer_silence.pcap")
    (one_sided,) = scenario("one_sided_even_spacing_is_suspected")
    unheard = "a" if one_sided.record.facts_a.segments == 0 else "b"
    said = last_heard(Teller(judged, start_ns), "a")

    assert said.text.startswith("The client was last heard at +")
    assert (9,) == said.frames
    assert None is last_heard(Teller(one_sided, 0), unheard)


def test_a_train_that_a_rst_without_effect_cut_waited_since_the_last_answer():
    """A probe behind an answered one is idle since that answer, not since the last data, whatever cut the train."""
    probe = "+15 a > b . 5:5(0) ack 1\n+.02 b > a . 1:1(0) ack 6\n"
    challenge = "+4 b > a R 1000:1000(0) win 0\n+.00003 a > b . 6:6(0) ack 1\n"
    record = opened(f"{probe}{challenge}{probe}").record

    assert Waited("idle", 19_000_030_000) == waited(record, record.probes[1])


def test_behind_the_end_a_probe_waited_since_anything_of_its_peer():
    """What an end that does not know of the end still probes waited since its peer's last packet, the RST."""
    (judged,) = [
        opened("+5 a > b . 5:5(0) ack 1\n+1 a > b . 5:5(0) ack 1\n+1 a > b R. 6:6(0) ack 1\n+50 b > a . 0:0(0) ack 6\n")
    ]
    probe = judged.record.probes[-1]

    assert ("b", Waited("packet", 50_000_000_000)) == (probe.sender, waited(judged.record, probe))
