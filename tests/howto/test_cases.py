"""Every recipe is whole: commands, an end, something that reads it, reasons; nothing given becomes more than a word."""

import re
import shlex
import shutil
import subprocess

import pytest

from analyzer.cli import VERBS
from analyzer.howto import CASES, Wanted
from tests.capture.craft import Kept, ethernet, ipv4, pcap, tcp

WANTED = Wanted(hosts=("10.0.0.1", "2001:db8::1"), ports=(80, 443))
HOSTILE = "e;touch $(id) `id` 'x' \\ && y"
UNIX = [case for case in CASES if case.name not in {"pktmon", "windows"}]
by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def made(name, wanted):
    """The recipe of a case."""
    return next(case for case in CASES if case.name == name).make(wanted)


@by_name
@pytest.mark.parametrize("wanted", [Wanted(), WANTED], ids=["all", "some"])
def test_a_recipe_is_whole(case, wanted):
    """Each part with a reason stands in a command, each sentence ends, and a verb reads what was written."""
    recipe = case.make(wanted)
    lines = " ".join([*(step.line for step in recipe.steps), *recipe.read, "pktmon both"])
    verbs = {verb.name for verb in VERBS}

    assert recipe.steps
    assert "Ctrl-C" in recipe.stop or "pktmon stop" in recipe.stop
    assert all(line.split()[:1] == ["keepalive"] and line.split()[1] in verbs for line in recipe.read)
    for reason in recipe.why:
        assert reason.because.endswith(".")
        assert all(piece.strip("() ") in lines for piece in reason.part.split("..."))


@by_name
def test_what_explains_silence_is_captured(case):
    """No recipe leaves out ARP and ICMP, and each says why."""
    recipe = case.make(WANTED)
    lines = " ".join(step.line for step in recipe.steps)

    assert "or arp or icmp or icmp6" in lines or {"ARP", "ICMP", "ICMPv6"} <= set(lines.split())
    assert any("why a host fell silent" in reason.because for reason in recipe.why)


@pytest.mark.parametrize("case", UNIX, ids=lambda case: case.name)
def test_nothing_given_is_obeyed(case):
    """An interface with all that shells obey in its name is one word of the command."""
    recipe = case.make(Wanted(interface=HOSTILE))
    words = [word for step in recipe.steps for word in shlex.split(step.line)]
    inner = [word for long in words if long.startswith("sudo tcpdump") for word in shlex.split(long)]

    assert HOSTILE in words + inner
    assert not any("touch" in word for word in words if word != HOSTILE and not word.startswith("sudo tcpdump"))


def test_windows_takes_no_word_that_its_shells_obey():
    """What cannot be quoted for both shells of Windows is refused with a sentence."""
    with pytest.raises(ValueError, match="has a character that Windows' shells do not take"):
        made("windows", Wanted(interface="a%PATH%"))


def test_pktmon_takes_addresses_and_so_many_filters():
    """Each pair of host and port is a filter; names, and more filters than there can be, are refused."""
    lines = [step.line for step in made("pktmon", WANTED).steps]

    assert 4 == sum(bool(re.fullmatch(r"pktmon filter add keepalive -t TCP -i \S+ -p \d+", line)) for line in lines)
    with pytest.raises(ValueError, match="give the address of db"):
        made("pktmon", Wanted(hosts=("db",)))
    with pytest.raises(ValueError, match="takes 32 filters, and these hosts and ports make 43"):
        made("pktmon", Wanted(ports=tuple(range(40))))


def test_the_own_session_is_not_captured():
    """Without a port the packets of ssh itself would be captured, and make more of them."""
    with_port, without = (made("remote", Wanted(ports=ports)).steps[0].line for ports in ((80,), ()))

    assert "and not tcp port 22" in without
    assert "port 22" not in with_port


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
def test_a_mirror_shows_what_is_tagged(tmp_path):
    """The filter for a mirrored port lets the connection pass with no, one and two VLAN tags, and another not."""
    one, two = ((0x8100, 7),), ((0x88A8, 7), (0x8100, 8))
    frames = [ethernet(ipv4(tcp(ports=(40000, port))), vlans=tags) for port in (80, 81) for tags in ((), one, two)]
    path = tmp_path / "tagged.pcap"
    path.write_bytes(pcap([Kept(frame) for frame in frames]))
    words = shlex.split(made("mirror", Wanted(ports=(80,))).steps[0].line)
    done = subprocess.run(
        ["tcpdump", "-n", "-r", path, words[-1]], capture_output=True, text=True, check=True, timeout=60
    )

    assert 3 == done.stdout.count(".80: Flags")
    assert 3 == len(done.stdout.splitlines())
