"""Puts machine code of the loops into a wheel, so that nobody who installs it waits for a compiler.

hatchling calls ``MachineCode`` for every wheel; it runs this file once more, in a process of its own, which compiles
all loops for the least processor of this platform (``analyzer/loops/shipped.py``). The wheel is for this platform then.
An editable one has no files; for it the code is put where it is looked for, beside the sources, and counts until one of
them is changed. Code of exactly these sources that lies there is taken, not made again. Run without arguments, this
file puts it there, too. Where any of that fails, and with KEEPALIVE_PURE_WHEEL=1, the wheel is one for all platforms,
and the first large run compiles.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    BuildHookInterface = Any
else:
    try:
        from hatchling.builders.hooks.plugin.interface import BuildHookInterface
    except ImportError:  # in the process that compiles
        BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
INSIDE = "analyzer/loops/shipped"
TAKE = "take"
"""Said to the process that compiles: what lies there already is wanted as well."""


class MachineCode(BuildHookInterface):  # type: ignore[misc]
    """The hook that hatchling finds here by its base."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add machine code to a wheel; for an editable one, put it beside the sources."""
        if os.environ.get("KEEPALIVE_PURE_WHEEL"):
            return
        self.made = tempfile.TemporaryDirectory()
        there = [str(ROOT / INSIDE)] if version == "editable" else [str(ROOT / INSIDE), TAKE]
        done = subprocess.run(  # noqa: S603 - this interpreter, and this file
            [sys.executable, "-P", __file__, self.made.name, *there],
            cwd="/",
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            why = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
            self.app.display_warning(f"no machine code in this wheel: {why}")
            return
        self.app.display_info(done.stdout.strip())
        if version == "editable":
            self.place_beside_the_sources()
        else:
            self.add_to(build_data)

    def place_beside_the_sources(self) -> None:
        """Put what was compiled, if anything had to be, where it is looked for; it is there whole, or not at all."""
        try:
            place_beside_the_sources(Path(self.made.name))
        except OSError as error:
            self.app.display_warning(f"no machine code beside the sources: {error}")

    def add_to(self, build_data: dict[str, Any]) -> None:
        """Have a wheel take along what was compiled, and say which platform it is for."""
        build_data["force_include"][self.made.name] = INSIDE
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - its form
        """Remove what is in the wheel now."""
        if hasattr(self, "made"):
            self.made.cleanup()


def environment() -> dict[str, str]:
    """Return the environment for the process that compiles: it imports the loops, and whatever can be imported here.

    pip shows a build its dependencies by PYTHONPATH and a module it finds there, so neither may be lost.
    """
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *(each for each in sys.path if Path(each).is_absolute())])
    }


def place_beside_the_sources(made: Path) -> None:
    """Put what was compiled where it is looked for; what other sources left there goes."""
    for each in made.iterdir():
        shutil.rmtree(ROOT / INSIDE, ignore_errors=True)
        begun = ROOT / INSIDE / f"{each.name}.begun"
        shutil.copytree(each, begun)
        begun.rename(begun.with_suffix(""))


def _platform() -> str:
    """Return the tag of the systems that the machine code runs on: it takes nothing of the C library's versions."""
    here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if here.startswith("linux_") and platform.libc_ver()[0] == "glibc":
        return here.replace("linux_", "manylinux_2_17_", 1)
    return here


def _command(*words: str) -> None:
    """Run the command, with loops even for so little."""
    from analyzer import cli

    os.environ["KEEPALIVE_JIT"] = "1"
    with redirect_stdout(StringIO()):
        if status := cli.main(words):
            raise SystemExit(f"keepalive {words[0]} ended with {status}")


def wanted(cache: str) -> list[Any]:
    """Return all loops that commands call, with the types of what they call them with; runs them, plain.

    Environment and caches of this process are changed: it is to end after this.
    """
    from analyzer.loops import shipped

    os.environ |= {"NUMBA_CPU_NAME": shipped.baseline(), "NUMBA_CPU_FEATURES": "", "KEEPALIVE_CACHE_DIR": cache}
    # imported only now: numba reads its settings then
    from analyzer import analyzing, watching
    from analyzer.loops import choice, rehearsal
    from analyzer.vantage import thinning
    from analyzer.vantage.forgetting import Forgetting

    small = Path(cache, "small.pcap")
    small.write_bytes(analyzing.small_pcap())
    runs: list[Callable[[], object]] = [
        lambda: _command("report", "--json", str(small)),
        lambda: _command("share", str(small), str(small.with_suffix(".pcapng"))),
        lambda: _command("report", "--json", str(small.with_suffix(".pcapng"))),
        lambda: _command("join", str(small), str(small.with_suffix(".pcapng"))),
        lambda: thinning.rehearse(Forgetting(1)),
        watching.compile_all,
    ]
    return list(dict.fromkeys([*choice.wanted(), *(part for run in runs for part in rehearsal.rehearsed(run))]))


def compile_into(folder: Path) -> str:
    """Compile all loops into a folder, for any processor like this one; return what was made."""
    from analyzer.loops import shipped

    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as apart:
        parts = wanted(cache)
        from analyzer.loops import compiler, crew, linking, machine, store

        if linking.linker():
            os.environ[linking.PARTS_VARIABLE] = apart
        crew.Crew(parts).wait()
        place = shipped.place(folder)
        place.mkdir(parents=True)
        for part in parts:
            made = machine.kept(part.loop, part.types)
            if made is None or isinstance(made[1], int):
                raise SystemExit(f"{part.loop} was not compiled")
            (place / machine.file_name(part.loop, part.types)).write_bytes(store.written(*made))
        compiler.put_stand_in(Path(apart), machine.FREES_NOTHING)
        why_not = linking.link(list(Path(apart).iterdir()), place)
        shipped.list_sources(place)
    return f"{len(parts)} loops, " + (f"no library of them: {why_not}" if why_not else "and a library of them")


def main(folder: str, there: str | None = None, take: str | None = None) -> None:
    """Compile into a folder, unless there is another in which such code lies already; if asked to, take that."""
    from analyzer.loops import shipped

    lies = None if there is None else shipped.place(Path(there))
    if lies is None or not lies.is_dir():
        sys.stdout.write(f"{compile_into(Path(folder))}\n")
        return
    if take:
        shutil.copytree(lies, Path(folder, lies.name))
    sys.stdout.write("nothing to compile\n")


def beside() -> None:
    """Have code of these sources lie beside them."""
    with tempfile.TemporaryDirectory() as made:
        main(made, str(ROOT / INSIDE))
        place_beside_the_sources(Path(made))


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 1 else beside()
