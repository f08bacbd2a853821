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

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.testing import CaptureFactory

MARKER: Final = (
    "keepalive(interface=None, timeout=None): where keepalive_capture listens in this test, "
    "and for how many seconds capture.wait_for waits"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options and settings."""
    group = parser.getgroup("keepalive", "TCP keepalive captures")
    group.addoption("--keepalive-interface", metavar="IFACE", help="interface of keepalive_capture; default: loopback")
    group.addoption("--keepalive-save", metavar="DIR", help="keep the packets and the story of failing tests in DIR")
    group.addoption(
        "--keepalive-required", action="store_true", help="fail, instead of skip, where capturing is not permitted"
    )
    parser.addini("keepalive_interface", "interface of keepalive_capture; default: loopback", default="")
    parser.addini("keepalive_timeout", "seconds that capture.wait_for waits unless told otherwise", default="10")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def keepalive_capture(request: pytest.FixtureRequest) -> Iterator[CaptureFactory]:
    """Return a function that starts a capture: ``with keepalive_capture(port=12345) as capture: ...``."""
    try:
        from analyzer.testing import CaptureFactory
    except ImportError as error:  # pragma: no cover - until the module is there
        pytest.skip(f"live capture cannot be loaded: {error}")
    yield CaptureFactory.for_test(request)
