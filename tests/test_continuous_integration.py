"""The action and the hook: what fails a build, and what is attached."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.cli import build
from analyzer.cli.options import check_words

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "deploy" / "check-captures.sh"
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")
HOOK = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")


@pytest.fixture
def checked(tmp_path):
    """A function that runs the script in a folder with two captures, one of which shows a RST on a probe."""
    for name in ("founding_go_fin60.pcap", "fixed_server.pcap"):
        (tmp_path / name).write_bytes((ROOT / "captures" / name).read_bytes())

    def run(captures, fail_on, **more):
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "KEEPALIVE_JIT": "0",
            "KEEPALIVE": f"{sys.executable} -m analyzer",
            "CAPTURES": captures,
            "FAIL_ON": fail_on,
            **more,
        }
        return subprocess.run(
            ["bash", SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_a_build_fails_and_has_the_report(checked, tmp_path):
    """Where a capture shows what was named the status is 1, the flow is said, and page and summary are there."""
    summary, output = tmp_path / "summary", tmp_path / "output"
    done = checked("*.pcap", "reset_on_probe", GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output))

    assert 1 == done.returncode
    assert "of founding_go_fin60.pcap is reset_on_probe" in done.stderr
    assert "<!doctype html>" in (tmp_path / "keepalive.html").read_text(encoding="utf-8").lower()
    assert "html=keepalive.html\n" == output.read_text(encoding="utf-8")
    assert "reset_on_probe" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("captures", "status"), [("fixed_server.pcap", 0), ("none*.pcap", 2), ("fixed_server.pcap absent.pcap", 2)]
)
def test_the_status_is_that_of_the_report(checked, captures, status):
    """Captures that show nothing of the kind pass, and one that is not there fails the build too."""
    assert status == checked(captures, "reset_on_probe").returncode


def test_a_name_is_no_command(checked, tmp_path):
    """What an input holds is a name, whatever a shell would make of it."""
    done = checked("$(touch${IFS}gone) ;touch gone", "reset_on_probe")

    assert 2 == done.returncode
    assert not (tmp_path / "gone").exists()


def test_inputs_reach_the_script_through_its_environment():
    """No input is pasted into a command of the action, and what fails by default are words that there are."""
    commands = re.findall(r"(?ms)^      run: \|?\n?(.*?)(?=^    - |\Z)", ACTION)

    assert [] == [command for command in commands if "inputs." in command]
    check_words(re.search(r"default: (half_closed\S*)", ACTION)[1].split(","))


def test_the_hook_calls_the_command_as_it_is():
    """The entry of the hook with its default arguments and a file is what the parser takes."""
    entry, args = (re.search(rf"(?m)^  {key}: (.*)$", HOOK)[1] for key in ("entry", "args"))
    words = re.search(r'\["(.*)"\]', args)[1]
    verb, parsers = entry.split()[1], build(whole=True)[1]
    options = parsers[verb].parse_args([*entry.split()[2:], words, "some.pcap"])

    assert ["some.pcap"] == options.files
    check_words(options.fail_on)
