"""Completion in shells."""

import re
import shutil
import subprocess

import pytest

from analyzer.cli import VERBS, completion

COMPLETE = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
{function}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    """A function that asks bash what a command line may go on with."""
    pytest.importorskip("shtab")
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    script = tmp_path_factory.mktemp("bash") / "keepalive"
    script.write_text(completion.script("bash"), encoding="utf-8")
    function = re.search(r"complete .*-F (\S+) keepalive", script.read_text(encoding="utf-8"))[1]

    def offered(*words):
        code = COMPLETE.format(script=script, words=" ".join(f"'{word}'" for word in words), function=function)
        return subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.split()

    return offered


def test_bash_offers_verbs(bash):
    """The first word is a verb."""
    assert {verb.name for verb in VERBS} <= set(bash("keepalive", ""))
    assert ["watch"] == bash("keepalive", "wa")


def test_bash_offers_options_and_words(bash):
    """Behind a verb come its own options, and behind --fail-on the words that it knows."""
    assert ["--fail-on"] == bash("keepalive", "report", "--fa")
    assert ["half_closed"] == bash("keepalive", "report", "--fail-on", "half_")
    assert ["--sockets"] == bash("keepalive", "watch", "--so")


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_shell_has_a_script(keepalive, shell):
    """The verb prints a script for each shell that it names."""
    pytest.importorskip("shtab")
    done = keepalive("completion", shell)

    assert (0, "") == (done.status, done.err)
    assert "fail-on" in done.out


def test_without_shtab_the_extra_is_named(keepalive, monkeypatch):
    """Where shtab is not installed, one sentence says which extra has it."""
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    done = keepalive("completion", "bash")

    assert 2 == done.status
    assert done.err.endswith("pip install 'keepalive-analyzer[completion]'\n")
