"""What a wheel takes along."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = """
import sys
from analyzer.cli import main
try:
    main()
finally:
    print(*sorted({"numba"} & set(sys.modules)), end="", file=sys.stderr)
"""
"""Runs the command, and says whether that imported the compiler."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from the sources that git tracks, as anybody builds it."""
    for each in ("hatchling", "numba"):
        pytest.importorskip(each)
    folder = tmp_path_factory.mktemp("wheel")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "KEEPALIVE_"))}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
@pytest.mark.parametrize("capture", ["founding_go_fin60.pcap", "lab/pcapng_two_interfaces.pcapng"])
def test_a_first_run_from_a_wheel_compiles_nothing(wheel, tmp_path, capture):
    """It runs compiled, without numba and leaving nothing in an empty home; its report is the plain one."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    home = tmp_path / "home"
    home.mkdir()
    said = {}
    for jit in "01":
        said[jit] = subprocess.run(
            [sys.executable, "-P", "-c", RUN, "report", "--json", str(ROOT / "captures" / capture)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "KEEPALIVE_JIT": jit}
            | {"PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
            check=False,
        )

    assert said["1"].stderr == said["0"].stderr
    assert "numba" not in said["1"].stderr
    assert said["1"].stdout == said["0"].stdout != ""
    assert [] == list(home.rglob("*"))


@pytest.mark.slow
def test_a_wheel_with_machine_code_is_for_its_platform(wheel):
    """Its name says so, and all that lies beside the modules is as in the sources."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert not wheel.name.endswith("-any.whl")
    assert "-py3-none-" in wheel.name
    assert {"hatch_build.py", "tests/conftest.py"}.isdisjoint(names)
    assert "analyzer/py.typed" in names


def test_what_compiles_is_what_will_run():
    """The compiler of the build is held to the versions that the program accepts."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["dependencies"]

    assert set(hook) <= set(settings["project"]["dependencies"])
