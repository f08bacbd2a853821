"""``keepalive how``."""

import json

import pytest

from analyzer.howto import CASES


def test_a_command_for_a_case(keepalive):
    """Hosts, ports and interface make the command, and what reads its file follows."""
    done = keepalive("how", "--host", "10.0.0.5", "--port", "5432", "-i", "eth0")

    assert (0, "") == (done.status, done.err)
    assert (
        "\n  sudo tcpdump -i eth0 -s 96 -U -w keepalive.pcap "
        "'(tcp port 5432 and host 10.0.0.5) or arp or icmp or icmp6'\n"
    ) in done.out
    assert "\nThen:\n  keepalive explain keepalive.pcap\n" in done.out


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_prints(keepalive, case):
    """Each case that help lists is printed, as text and as JSON, with the same commands."""
    text, made = keepalive("how", case.name), keepalive("how", case.name, "--json")
    lines = [step["line"] for step in json.loads(made.out)["steps"]]

    assert case.name in keepalive("how", "--help").out
    assert (0, 0) == (text.status, made.status)
    assert all(f"\n  {line}\n" in text.out for line in lines)


@pytest.mark.parametrize(
    ("case", "name", "part"),
    [
        ("pod", "web-0", "kubectl debug web-0 "),
        ("pod", "shop/web-0", "kubectl exec --namespace shop web-0 "),
        ("container", "web", "'{{.State.Pid}}' web)"),
        ("remote", "me@db.example.com", "ssh me@db.example.com "),
        ("remote", "10.0.0.1", "ssh 10.0.0.1 "),
    ],
)
def test_names(keepalive, case, name, part):
    """A pod, a container or a host to log in to stands where its word in capitals stood."""
    assert part in keepalive("how", case, "--name", name).out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("there",), "keepalive: no case is called there; did you mean here?; there are here, both, "),
        (("--host", "a;b"), "argument --host: a;b is not an address, a network or the name of a host"),
        (("--host", "fe80::1%eth0"), "has a zone, which no filter knows; give fe80::1, and --interface eth0"),
        (("--port", "65536"), "argument --port: 65536 is not a port number"),
        (("-i", ""), "is not the name of an interface"),
        (("--name", "web"), "keepalive: --name has no use with the case here"),
        (("pod", "--name", "a b"), "keepalive: --name: a b is not the name of a container or a pod"),
        (("container", "--name", "a/b"), "keepalive: --name: a/b is not the name of a container or a pod"),
        (("remote", "--name=-oProxyCommand=x"), "keepalive: --name: -oProxyCommand=x is not an address"),
        (("remote", "--name=-x@host"), "keepalive: --name: -x is not the name of a container or a pod"),
        (("pktmon", "--host", "db"), "keepalive: pktmon knows no names of hosts; give the address of db"),
    ],
)
def test_bad_values(keepalive, arguments, sentence):
    """What cannot be gets one sentence, the usage where that helps, no command, and status 2."""
    done = keepalive("how", *arguments)

    assert (2, "") == (done.status, done.out)
    assert sentence in done.err
    assert done.err.count("\n") == (3 if "usage:" in done.err else 1)
