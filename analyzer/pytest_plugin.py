"""The pytest plugin: sniff while a test exercises a server, and ask what happened to its connections.

    def test_server_closes_when_client_does(keepalive_capture):
        with keepalive_capture(port=12345) as capture:
            ...                                   # exercise the server
        flow = capture.flow(port=12345)
        assert flow.verdict == "closed"
        assert not flow.probes_after_fin

pytest loads this module in every run of everybody who has the package installed, so it imports nothing but pytest
until a test asks for the fixture. What the fixture hands out is ``analyzer.testing``, which works without pytest.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from contextlib import AbstractContextManager

    from analyzer.testing import Capture

MARKER: Final = (
    "keepalive(interface=None, timeout=None): where keepalive_capture listens in this test, "
    "and for how many seconds capture.wait_for waits"
)
CAPTURES: Final = pytest.StashKey[list["Capture"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options and settings."""
    group = parser.getgroup("keepalive", "TCP keepalive captures")
    group.addoption("--keepalive-interface", metavar="IFACE", help="interface of keepalive_capture; default: loopback")
    group.addoption("--keepalive-save", metavar="DIR", help="keep packets and story of every failing test in DIR")
    group.addoption(
        "--keepalive-required", action="store_true", help="fail, instead of skip, where capturing is not permitted"
    )
    parser.addini("keepalive_interface", "interface of keepalive_capture; default: loopback", default="")
    parser.addini("keepalive_timeout", "seconds that capture.wait_for waits unless told otherwise", default="10")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


class CaptureFactory:
    """What the fixture ``keepalive_capture`` is: call it to get a capture for a ``with`` statement."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        """Read what options, settings and the marker say about this test."""
        config = request.config
        marker = request.node.get_closest_marker("keepalive")
        marked = marker.kwargs if marker else {}
        if unknown := set(marked) - {"interface", "timeout"}:
            raise pytest.UsageError(f"the marker keepalive has no {', '.join(sorted(unknown))}")
        self.interface: str | None = (
            marked.get("interface")
            or config.getoption("--keepalive-interface")
            or config.getini("keepalive_interface")
            or None
        )
        self.timeout_s = _seconds(marked.get("timeout") or config.getini("keepalive_timeout"))
        self._keep = bool(config.getoption("--keepalive-save"))
        self._required = bool(config.getoption("--keepalive-required"))
        self._captures: list[Capture] = request.node.stash.setdefault(CAPTURES, [])

    def __call__(
        self,
        port: int | Iterable[int] | None = None,
        *,
        interface: str | None = None,
        filter_text: str = "",
        timeout_s: float | None = None,
    ) -> AbstractContextManager[Capture]:
        """Return a capture of TCP from or to a port, or of all packets.

        Raises:
            ValueError: ``port`` is no port.
        """
        __tracebackhide__ = True
        from analyzer.testing import Capture

        return self._running(
            Capture(
                port,
                interface=interface or self.interface,
                filter_text=filter_text,
                timeout_s=self.timeout_s if timeout_s is None else timeout_s,
                keep=self._keep,
            )
        )

    @contextlib.contextmanager
    def _running(self, capture: Capture) -> Iterator[Capture]:
        """Run a capture; skip the test, or fail it, where that is not permitted."""
        __tracebackhide__ = True
        from analyzer.errors import CaptureNotPermittedError

        self._captures.append(capture)
        try:
            capture.__enter__()
        except CaptureNotPermittedError as error:
            if self._required:
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
        try:
            yield capture
        finally:
            capture.stop()


@pytest.fixture
def keepalive_capture(request: pytest.FixtureRequest) -> CaptureFactory:
    """Return what starts a capture when it is called with a port, in a ``with`` statement."""
    return CaptureFactory(request)


@pytest.fixture
def keepalive_port() -> int:
    """Return a port of loopback that nobody listens on and no other pytest-xdist worker is given."""
    from analyzer.testing import free_port

    return free_port()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the story of what was captured into the report of a failing test, and keep its packets if asked to."""
    report = yield
    captures = item.stash.get(CAPTURES, [])
    if report.failed and call.when == "call":
        told: frozenset[int] = getattr(call.excinfo.value, "told", frozenset()) if call.excinfo else frozenset()
        crash: Any = getattr(report.longrepr, "reprcrash", None)
        if told and crash is not None:  # what a CI's summary repeats whole
            crash.message = crash.message.partition("\n")[0]
        for number, capture in enumerate(captures):
            _tell(item, report, capture, number, told)
    if call.when == "teardown":
        for capture in captures:
            capture.discard()
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed comparison with a verdict in a sentence; the story stands below, with what was captured."""
    captured = sys.modules.get("analyzer.captured")
    word: Any = next((each for each in (left, right) if captured and isinstance(each, captured.Word)), None)
    if word is None or op not in ("==", "!=", "in", "not in"):
        return None
    return [f"{left!r} {op} {right!r}", word.flow.headline, f"in {word.flow!r}"]


def _tell(item: pytest.Item, report: pytest.TestReport, capture: Capture, number: int, told: frozenset[int]) -> None:
    """Add a capture to the report of its test, but for the flows whose stories the failure has told."""
    if not capture.started:
        return
    if story := capture.story(beside=told):
        report.sections.append(("Captured packets (keepalive)", story))
    folder = item.config.getoption("--keepalive-save")
    if folder:
        name = re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-") + (f"-{number + 1}" if number else "")
        written = capture.save(item.config.invocation_params.dir / folder, name)
        report.sections.append(("Saved (keepalive)", "\n".join(map(str, written))))


def _seconds(text: object) -> float:
    """Return a setting as a number of seconds."""
    try:
        seconds = float(str(text))
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise pytest.UsageError(f"keepalive: the timeout is {text!r}; expected a number of seconds")
    return seconds
