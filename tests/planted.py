"""A folder with everything in it that a program might run or obey because it lies where the program was started."""

import sys
from importlib import metadata

SETTINGS = {
    # text through LaTeX, which can run programs; what shows in a picture; and what matplotlib would complain about
    "matplotlibrc": "text.usetex: True\naxes.linewidth: 9\nxtick.major.size: 20\nnonsense: 1\n",
    ".numba_config.yaml": "dump_ir: 1\nboundscheck: 1\n",
    "config.ini": "[tshark]\ntshark_path = ./tshark\n",
    "pyvenv.cfg": "home = .\n",
    "init.lua": "os.execute('touch {witness}')\n",
    "preferences": "gui.column.format: nothing\n",
}
PROGRAMS = ("tshark", "dumpcap", "gcc", "ld", "ldconfig", "fc-list", "latex", "git", "python", "python3", "sh")


def plant(folder):
    """Fill a folder, and return a file that is made as soon as any of it is run."""
    witness = folder / "witness"
    code = f"open({str(witness)!r}, 'a').write(__name__ + chr(10))\nraise ImportError('planted')\n"
    packages = {name.replace("-", "_").lower() for each in metadata.distributions() if (name := each.metadata["Name"])}
    for name in {*sys.stdlib_module_names, *packages, "sitecustomize", "usercustomize", "yaml", "analyzer"}:
        (folder / f"{name}.py").write_text(code)
    for name, text in SETTINGS.items():
        (folder / name).write_text(text.replace("{witness}", str(witness)))
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho {name} >>{witness}\n")
        (folder / name).chmod(0o755)
    return witness
