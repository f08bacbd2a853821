"""What a wheel takes along."""

import os
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import hatch_build
from analyzer.loops import linking, shipped

ROOT = Path(__file__).parents[1]
CAPTURES = ("founding_go_fin60.pcap", "lab/pcapng_two_interfaces.pcapng", "lab/app_heartbeat_one_byte.pcap")
RUN = """
import sys
from analyzer.cli import main
try:
    main()
finally:
    print(*sorted({"llvmlite", "numba"} & set(sys.modules)), end="", file=sys.stderr)
"""
"""Runs the command, and says whether that imported the compiler, or what links its object files."""


def wheel_in(folder):
    """A wheel built from the sources that git tracks, as anybody builds it."""
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
def test_a_first_run_from_a_wheel_compiles_nothing(tmp_path):
    """In an empty home it runs compiled, without numba or a linker, and reports as plain; it is for its platform."""
    for each in ("hatchling", "numba"):
        pytest.importorskip(each)
    wheel = wheel_in(tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    home = tmp_path / "home"
    home.mkdir()
    said = {
        (jit, capture): subprocess.run(
            [sys.executable, "-P", "-c", RUN, "report", "--json", str(ROOT / "captures" / capture)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "KEEPALIVE_JIT": jit}
            | {"PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
            check=False,
        )
        for jit in "01"
        for capture in CAPTURES
    }

    assert not wheel.name.endswith("-any.whl")
    assert "-py3-none-" in wheel.name
    assert not (tmp_path / "site" / "hatch_build.py").exists()
    for capture in CAPTURES:
        assert said["1", capture].stderr == said["0", capture].stderr + ("" if linking.linker() else "llvmlite")
        assert "llvmlite" not in said["0", capture].stderr
        assert said["1", capture].stdout == said["0", capture].stdout != ""
    assert [] == list(home.rglob("*"))


def test_an_editable_installation_has_it_beside_the_sources(tmp_path, monkeypatch):
    """What was compiled is whole where it is looked for, what other sources left there is gone, and the rest stays."""
    folder = tmp_path / hatch_build.INSIDE
    (folder / "0123456789abcdef").mkdir(parents=True)
    monkeypatch.setattr(hatch_build, "ROOT", tmp_path)
    hook = hatch_build.MachineCode.__new__(hatch_build.MachineCode)
    hook.made = tempfile.TemporaryDirectory()
    Path(hook.made.name, "fedcba9876543210").mkdir()
    Path(hook.made.name, "fedcba9876543210", "one.loop.o").write_bytes(b"code")

    hook.place_beside_the_sources()
    hook.finalize("editable", {}, "")

    assert [folder / "fedcba9876543210" / "one.loop.o"] == [each for each in folder.rglob("*") if each.is_file()]
    assert ["fedcba9876543210"] == [each.name for each in folder.iterdir()]


def test_nothing_is_compiled_twice(tmp_path, capsys):
    """Where code of exactly these sources lies already, an installation takes no time for it."""
    pytest.importorskip("llvmlite")
    there = shipped.place(tmp_path / "there")
    there.mkdir(parents=True)

    hatch_build.main(str(tmp_path / "made"), str(tmp_path / "there"))

    assert "nothing to compile" in capsys.readouterr().out
    assert not (tmp_path / "made").exists()


def test_a_wheel_takes_what_lies_beside_the_sources(tmp_path, capsys):
    """Code of exactly these sources goes into a wheel as it is; code of others is left."""
    pytest.importorskip("llvmlite")
    there = shipped.place(tmp_path / "there")
    for folder in (there, there.with_name("0123456789abcdef")):
        folder.mkdir(parents=True)
        (folder / "one.loop.o").write_bytes(folder.name.encode())

    hatch_build.main(str(tmp_path / "made"), str(tmp_path / "there"), hatch_build.TAKE)

    assert "nothing to compile" in capsys.readouterr().out
    assert {f"{there.name}/one.loop.o": there.name.encode()} == {
        str(each.relative_to(tmp_path / "made")): each.read_bytes() for each in (tmp_path / "made").rglob("*.o")
    }


ALONE = """
import re, sys, tempfile, tomllib
from importlib.metadata import packages_distributions

settings = tomllib.loads(open("pyproject.toml").read())
needed = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["dependencies"]
there = {re.match("[a-z-]+", each)[0] for each in needed} | {"cffi"}
absent = {name for name, owners in packages_distributions().items() if not there & set(owners)} - {"analyzer"}

class Absent:
    def find_spec(self, name, *_):
        if name in absent:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, "")
import hatch_build
with tempfile.TemporaryDirectory() as cache:
    print(len(hatch_build.wanted(cache)), {"rich", "scapy"} <= absent)
"""
"""Finds what is to be compiled, as where a build has its own dependencies, and nothing of what the program needs."""


def test_a_build_has_what_it_needs():
    """What is installed for a build alone is enough to find all loops; so pip and pipx build wheels with them."""
    pytest.importorskip("numba")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "KEEPALIVE_"))}
    done = subprocess.run(
        [sys.executable, "-P", "-c", ALONE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ("", 0) == (done.stderr, done.returncode)
    loops, is_alone = done.stdout.split()
    assert int(loops) > 40
    assert is_alone == "True"


APART = """
import subprocess, sys
sys.path.insert(0, "")
import hatch_build
asked = "import analyzer, llvmlite, numba, sys; print(analyzer.__file__, sys.prefix)"
subprocess.run([sys.executable, "-P", "-c", asked], cwd="/", env=hatch_build.environment(), check=True)
"""
"""Asks the process that would compile for what it can import."""


def test_what_compiles_finds_the_dependencies_of_an_isolated_build(tmp_path):
    """Pip's isolated build has its dependencies in a folder that only a module on PYTHONPATH adds; they are found."""
    numba = pytest.importorskip("numba")
    bare = tmp_path / "venv"
    venv.create(bare, symlinks=True)
    shown = tmp_path / "shown"
    shown.mkdir()
    libraries = Path(numba.__file__).parents[1]
    (shown / "sitecustomize.py").write_text(
        f"import os, sys\nsys.path.append({str(libraries)!r})\nos.environ.pop('PYTHONPATH')\n"
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "KEEPALIVE_", "COV"))
    }

    done = subprocess.run(
        [bare / "bin" / "python", "-P", "-c", APART],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(shown)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.split() == [str(ROOT / "analyzer" / "__init__.py"), str(bare)]


def test_what_compiles_is_what_will_run():
    """The compiler of the build is held to the versions that the program accepts."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["dependencies"]

    assert set(hook) <= set(settings["project"]["dependencies"])
