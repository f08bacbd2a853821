"""The pytest plugin, in pytest runs of its own: what a test sees, what a failure says, what is skipped and saved."""

import re
import socket
import sys
from pathlib import Path

import numba  # noqa: F401 - as below
import pytest
import scapy.arch.linux
import scapy.layers.l2  # noqa: F401 - as below

from analyzer import pytest_plugin
from analyzer.testing import Capture  # noqa: F401 - runs in this process must find loaded what can be loaded only once
from tests.loopback import host  # noqa: F401 - a fixture

pytest_plugins = ["pytester"]

live = pytest.mark.live
EXAMPLES = Path(__file__).parent / "examples"

CLIENT_AND_SERVER = """
import socket, threading, time, pytest

def meet(port, *, server_closes):
    with socket.create_server(("127.0.0.1", port)) as listener:
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listener.accept()
    client.sendall(b"howdy")
    assert server.recv(9)
    client.shutdown(socket.SHUT_WR)
    if server_closes:
        assert server.recv(9) == b""
        server.close()
        assert client.recv(9) == b""
    client.close()
    return server
"""

FAILING = (
    CLIENT_AND_SERVER
    + """
def test_it(keepalive_capture, keepalive_port):
    with keepalive_capture(port=keepalive_port) as capture:
        server = meet(keepalive_port, server_closes=False)
        capture.wait_for("fin")
    server.close()
    assert capture.flow(port=keepalive_port).verdict == "closed"
"""
)

PASSING = (
    CLIENT_AND_SERVER
    + """
def test_it(keepalive_capture, keepalive_port):
    with keepalive_capture(port=keepalive_port) as capture:
        meet(keepalive_port, server_closes=True)
    flow = capture.flow(port=keepalive_port)
    assert flow.verdict == "closed"
    assert not flow.probes_after_fin
"""
)


@pytest.fixture
def project(pytester, host):  # noqa: F811
    """A project of somebody else, whose tests run on a loopback of their own.

    What pytest says there of a plugin imported before it began is true only where it begins in a process of ours.
    """
    pytester.makeini("[pytest]\nfilterwarnings =\n    error\n    ignore:Module already imported\n")
    return pytester


@live
def test_a_server_that_closes_passes(project):
    """The example of the documentation passes."""
    project.makepyfile(PASSING)

    project.runpytest_inprocess("-p", "no:xdist").assert_outcomes(passed=1)


@live
def test_a_failure_tells_the_story(project):
    """The comparison is explained in a sentence, and the report has the story with frame numbers."""
    project.makepyfile(FAILING)
    result = project.runpytest_inprocess("-p", "no:xdist")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * assert '*clos*' == 'closed'",  # closing; half-closed where the machine was busy for a second
            "E * The client *",
            "* Captured packets (keepalive) *",
            "? packets of port * captured on lo",
            "Flow 0: 127.0.0.1:* (client, a) to 127.0.0.1:* (server, b)",
            "What happened",
            "*client sends FIN -> client FIN-WAIT-1, server CLOSE-WAIT*",  # if it arrived: it may be unacknowledged yet
        ]
    )


ASSERTING = FAILING.replace(
    'assert capture.flow(port=keepalive_port).verdict == "closed"', "capture.flow(port=keepalive_port).assert_closed()"
)


@live
@pytest.mark.parametrize("body", [FAILING, ASSERTING], ids=["assert", "assert_closed"])
def test_a_failure_is_the_story_once(project, body):
    """However a test asks, the story is told once, and of the plugin's own source nothing is shown."""
    project.makepyfile(body)
    shown = project.runpytest_inprocess("-p", "no:xdist").stdout.str()

    assert 1 == shown.count("What happened")
    assert "testing.py" not in shown
    assert "captured.py" not in shown
    assert "pytest_plugin.py" not in shown


def test_a_mistake_in_a_call_is_told_where_it_was_made(pytester):
    """A port that is none is one sentence at the test's own line."""
    pytester.makepyfile("def test_it(keepalive_capture):\n    with keepalive_capture(port=70000):\n        pass\n")
    result = pytester.runpytest_inprocess("-p", "no:xdist")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * ValueError: 70000 is not a port; expected a number from 0 to 65535, or several"])
    assert "selection.py" not in result.stdout.str()


@live
def test_a_passing_test_says_nothing(project):
    """Without a failure nothing of the capture is printed."""
    project.makepyfile(PASSING)

    assert "keepalive)" not in project.runpytest_inprocess("-p", "no:xdist", "-rA").stdout.str()


@live
@pytest.mark.parametrize(("body", "files"), [(FAILING, ["txt", "pcap"]), (PASSING, [])], ids=["failing", "passing"])
def test_packets_of_failing_tests_are_kept(project, body, files):
    """The folder gets the pcap and the story of a failing test, and nothing of one that passes."""
    project.makepyfile(test_its=body)
    result = project.runpytest_inprocess("-p", "no:xdist", "--keepalive-save=kept")
    kept = sorted(path.name for path in (project.path / "kept").glob("*"))

    assert sorted(f"test_its.py-test_it.{ending}" for ending in files) == kept
    assert bool(files) == ("Saved (keepalive)" in result.stdout.str())


@live
def test_every_capture_of_a_failing_test_is_kept(project):
    """The second capture of a test does not write over the first."""
    project.makepyfile(
        test_its="""
        def test_it(keepalive_capture):
            with keepalive_capture(port=1), keepalive_capture(port=2):
                assert False
        """
    )
    project.runpytest_inprocess("-p", "no:xdist", "--keepalive-save=kept")

    assert ["test_its.py-test_it-2.pcap", "test_its.py-test_it.pcap"] == sorted(
        path.name for path in (project.path / "kept").glob("*.pcap")
    )


@pytest.fixture
def forbidden(monkeypatch):
    """A system that does not let us capture."""

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("scapy.arch.linux.L2ListenSocket", refuse)


@pytest.mark.parametrize(
    ("options", "outcome", "line"),
    [
        ([], "skipped", "SKIPPED * cannot capture on lo: capturing is not permitted. *"),
        (["--keepalive-required"], "failed", "*cannot capture on lo: capturing is not permitted. *"),
    ],
)
def test_without_privilege_it_is_skipped_unless_required(pytester, forbidden, options, outcome, line):
    """A test that cannot capture is skipped with the reason and the remedy, or fails if capturing is required."""
    pytester.makepyfile(PASSING)
    result = pytester.runpytest_inprocess("-p", "no:xdist", "-rs", *options)

    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines([line])


WHERE = """
import pytest

def test_default(keepalive_capture):
    print("default", keepalive_capture.interface, keepalive_capture.timeout_s)

@pytest.mark.keepalive(interface="eth7", timeout=3)
def test_marked(keepalive_capture):
    print("marked", keepalive_capture.interface, keepalive_capture.timeout_s)
"""


@pytest.mark.parametrize(
    ("ini", "options", "expected"),
    [
        ("", [], ["default None 10.0", "marked eth7 3.0"]),
        (
            "keepalive_interface = eth8\nkeepalive_timeout = 0.5",
            [],
            ["default eth8 0.5", "marked eth7 3.0"],
        ),
        ("keepalive_interface = eth8", ["--keepalive-interface=eth9"], ["default eth9 10.0", "marked eth7 3.0"]),
    ],
)
def test_marker_option_and_setting(pytester, ini, options, expected):
    """The marker comes before the option, the option before the setting."""
    pytester.makeini(f"[pytest]\naddopts = --strict-markers\n{ini}\n")
    pytester.makepyfile(WHERE)

    result = pytester.runpytest_inprocess("-p", "no:xdist", "-s", *options)

    assert expected == re.findall(r"(?:default|marked) \S+ [\d.]+", result.stdout.str())


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("interfce='lo'", "the marker keepalive has no interfce"),
        ("timeout='soon'", "the timeout is 'soon'; expected a number of seconds"),
        ("timeout=-1", "the timeout is -1; expected a number of seconds"),
    ],
)
def test_a_mistake_in_the_marker_is_told(pytester, marker, message):
    """Unknown names and impossible times are errors of the test."""
    pytester.makepyfile(f"import pytest\n@pytest.mark.keepalive({marker})\ndef test_it(keepalive_capture): pass\n")
    result = pytester.runpytest_inprocess("-p", "no:xdist")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{message}*"])


def test_the_fixtures_are_documented(pytester):
    """Pytest's list of fixtures and markers has ours."""
    shown = pytester.runpytest_inprocess("-p", "no:xdist", "--fixtures", "--markers").stdout.str()
    fixtures = pytester.runpytest_inprocess("-p", "no:xdist", "--fixtures").stdout.str()

    assert "@pytest.mark.keepalive(interface=None, timeout=None)" in shown
    assert "keepalive_capture" in fixtures
    assert "keepalive_port" in fixtures


@live
def test_four_workers_each_see_their_own_ports(project):
    """Under pytest-xdist tests run beside each other, and each finds exactly the connection it made."""
    project.makepyfile(
        CLIENT_AND_SERVER
        + """
@pytest.mark.parametrize("number", range(12))
def test_it(keepalive_capture, keepalive_port, number):
    with keepalive_capture(port=keepalive_port) as capture:
        for _ in range(3):
            meet(keepalive_port, server_closes=True)
            time.sleep(0.02)
    assert [flow.verdict for flow in capture.flows()] == ["closed"] * 3
    assert all(flow.has_port(keepalive_port) for flow in capture.flows())
"""
    )
    result = project.runpytest_subprocess("-n", "4", "--keepalive-required")

    result.assert_outcomes(passed=12)


@live
def test_beside_pytest_socket(project):
    """A plugin that forbids sockets does not keep the capture from being opened, nor is it switched off by that."""
    pytest.importorskip("pytest_socket", reason="pytest-socket is not installed")
    project.makepyfile(
        """
        import pytest, pytest_socket, socket

        def test_it(keepalive_capture, keepalive_port):
            with keepalive_capture(port=keepalive_port):
                with pytest.raises(pytest_socket.SocketBlockedError):
                    socket.socket()
        """
    )

    result = project.runpytest_subprocess(
        "-p", "no:xdist", "--disable-socket", "--keepalive-required", "-W", "default:A test tried to use:UserWarning"
    )

    result.assert_outcomes(passed=1)


@live
def test_the_example_fails_on_the_leaky_server_and_passes_on_its_twin(project):
    """The same test tells the founding bug, with its story, and lets the fixed server pass."""
    for path in EXAMPLES.glob("*.py"):
        project.makepyfile(**{path.stem: path.read_text(encoding="utf-8")})
    result = project.runpytest_inprocess("-p", "no:xdist", "--runxfail", "-k", "server.py", "test_closing.py")

    result.assert_outcomes(passed=1, failed=1, deselected=2)
    result.stdout.fnmatch_lines(
        [
            "*closed did not happen within 3 s",
            "*sends FIN -> client FIN-WAIT-1, server CLOSE-WAIT",
            "* test_closing.py::test_the_server_closes_when_its_client_does[[]leaky_server.py[]]*",
        ]
    )


def test_a_verdict_is_only_explained_where_there_is_one():
    """Comparisons of anything else are pytest's own affair."""
    assert pytest_plugin.pytest_assertrepr_compare("==", "closed", "open") is None
    assert "analyzer.captured" not in sys.modules or pytest_plugin.pytest_assertrepr_compare("==", 1, socket) is None
