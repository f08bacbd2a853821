"""Print what the package and some of its extras need, a line each, without the package itself.

    python dependencies.py test,docs

pip can install an extra only together with the package whose it is. The Makefile has one pip fetch what this prints
while another one builds the package, for which the loops are compiled. An extra that names others stands for them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
OWN = re.compile(r"keepalive-analyzer\[(?P<extras>[^\]]+)\]")


def needed(project: dict[str, Any], extras: list[str]) -> list[str]:
    """Return the requirements of a ``[project]`` table and of these extras, each once.

    Raises:
        KeyError: there is no such extra.
    """
    found: dict[str, None] = dict.fromkeys(project["dependencies"])
    left, known = list(extras), set[str]()
    while left:
        extra = left.pop(0)
        if extra in known:
            continue
        known.add(extra)
        for requirement in project["optional-dependencies"][extra]:
            if own := OWN.fullmatch(requirement):
                left += own["extras"].split(",")
            else:
                found.setdefault(requirement)
    return list(found)


if __name__ == "__main__":
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sys.stdout.writelines(f"{line}\n" for line in needed(table, [name for name in sys.argv[1].split(",") if name]))
