"""The server for assistants: what it may read, how much it says, and that it speaks the protocol."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from analyzer.cli import mcp
from analyzer.cli.options import UsageError

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"
FOUNDING = "founding_go_fin60.pcap"


@pytest.fixture
def folders(tmp_path):
    """A folder that may be read, and one beside it that may not."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "x.pcap").write_bytes((CAPTURES / FOUNDING).read_bytes())
    (inside / "link.pcap").symlink_to(outside / "x.pcap")
    (inside / "again.pcap").symlink_to(inside / "x.pcap")
    return inside, outside


@pytest.mark.parametrize("name", ["x.pcap", "again.pcap", "../in/x.pcap"])
def test_what_lies_in_the_folders_may_be_read(folders, name):
    """A path within the folders, links followed, is a capture that may be read, relative or absolute."""
    inside, _ = folders
    answers = mcp.Answers([str(inside)])

    assert str(inside / "x.pcap") == answers.allowed(name) == answers.allowed(str(inside / name))


@pytest.mark.parametrize("name", ["../out/x.pcap", "link.pcap", "none.pcap", "", "-", "x\0", "{out}/x.pcap"])
def test_nothing_else_may_be_read(folders, name):
    """What lies elsewhere, by name or by link, is refused as if it were not there; so is what is no file."""
    inside, outside = folders

    with pytest.raises(mcp.RefusedError, match=r"there is no such file in|is not a regular file"):
        mcp.Answers([str(inside)]).allowed(name.replace("{out}", str(outside)))


@pytest.mark.parametrize("root", ["nowhere", "x.pcap"])
def test_a_root_is_a_folder(folders, monkeypatch, root):
    """A root that is not there, or is a file, is refused when the server starts."""
    monkeypatch.chdir(folders[0])

    with pytest.raises(UsageError, match=f"--root {root}"):
        mcp.Answers([root])


def test_a_value_is_never_an_option():
    """What an assistant asks for is the value of an option, whatever it looks like."""
    assert ["--flow=0", "--host=--json"] == mcp.chosen(flow=0, host="--json", port=None)


def test_a_long_answer_is_cut():
    """An answer says how much of it is left out."""
    cut = mcp.Answers([str(CAPTURES)], longest=10)._cut("x" * 1_234)

    assert f"{'x' * 10}\n\n[1,224 more characters: ask for one flow, a host or a port]" == cut


def test_what_takes_too_long_is_ended():
    """An answer that takes longer than the limit is an error that says so."""
    with pytest.raises(mcp.RefusedError, match=r"longer than 0\.01 s"):
        asyncio.run(mcp.Answers([str(CAPTURES)], patience_s=0.01).of("report", FOUNDING, []))


def test_an_assistant_is_answered(monkeypatch):
    """Over the protocol the tools are listed, tell a flow's story, and refuse what may not be read."""
    client_of = pytest.importorskip("mcp.client").Client
    stdio = pytest.importorskip("mcp.client.stdio").StdioServerParameters
    command = stdio(
        command=sys.executable,
        args=["-m", "analyzer", "mcp", "--root", str(CAPTURES)],
        env={"PYTHONPATH": str(ROOT), "KEEPALIVE_JIT": "0", "PATH": ""},
    )

    async def talk():
        async with client_of(command) as client:
            tools = await client.list_tools()
            told = await client.call_tool("explain", {"path": FOUNDING, "flow": 0})
            refused = await client.call_tool("report", {"path": "/etc/passwd"})
            return tools.tools, told, refused

    tools, told, refused = asyncio.run(talk())

    assert ["report", "explain", "rules"] == [tool.name for tool in tools]
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert told.content[0].text.startswith("Flow 0: 127.0.0.1:59285 (client, a)")
    assert refused.is_error
    assert "/etc/passwd: there is no such file in" in refused.content[0].text


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_who_cannot_be_spoken_to_is_not_served(monkeypatch, name):
    """Where standard input or output is closed, that is said."""
    monkeypatch.setattr(sys, name, None)

    with pytest.raises(UsageError, match="closed"):
        mcp.run(Namespace(roots=None, longest=100))


def test_without_the_sdk_the_extra_is_named(keepalive, monkeypatch):
    """Where the SDK is not installed, one sentence says which extra has it."""
    for name in [each for each in sys.modules if each.startswith("mcp.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    done = keepalive("mcp")

    assert 2 == done.status
    assert done.err.endswith("pip install 'keepalive-analyzer[mcp]'\n")
