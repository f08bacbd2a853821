"""Prints the lower bounds of all dependencies in pyproject.toml as pip constraints: the oldest that are supported.

python .github/lower_bounds.py > oldest.txt && PIP_CONSTRAINT=oldest.txt make test
"""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main() -> None:
    """Print `name==version` for each `name>=version`, extras left out."""
    wanted = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    for requirement in sorted(set(wanted)):
        if found := re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*>=\s*([\w.]+)", requirement):
            print(f"{found[1]}=={found[2]}")


if __name__ == "__main__":
    main()
