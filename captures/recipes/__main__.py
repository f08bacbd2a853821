"""`python -m captures.recipes list`, `make NAME... [--out DIR]`, `count FILE...`; from the top folder."""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from captures.recipes import endings, founding, synthetic, truth

Recipe = Callable[[Path], None]

RECIPES: dict[str, Recipe] = {
    recipe.__name__: recipe
    for recipe in (
        founding.founding_go_fin60,
        founding.founding_go_fin60_sleep60,
        founding.founding_go_fin10,
        founding.founding_python_fin10,
        founding.founding_killed,
        founding.founding_killed_unread,
        founding.fixed_server,
        founding.capture_stops_early,
        founding.short_timers,
        endings.dead_peer_silence,
        endings.peer_rebooted,
        endings.half_close_deliberate,
        synthetic.synthetic_macos12_lo0,
        synthetic.synthetic_macos1014_lo0,
    )
}


def make(names: list[str], out: Path) -> int:
    """Make captures side by side, each in namespaces of its own; give the number that failed."""
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        running = {name: pool.submit(RECIPES[name], out) for name in names}
        for name, recipe in running.items():
            if (error := recipe.exception()) is not None:
                failed += 1
                print(f"{name}: {error!r}", file=sys.stderr)
            else:
                print(f"{name}: made")
    return failed


def main() -> int:
    """Read the command line; the exit status is 1 if any capture could not be made."""
    parser = argparse.ArgumentParser(prog="python -m captures.recipes", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the recipes and what each one shows")
    making = verbs.add_parser("make", help="make captures again (needs root, ip and tcpdump)")
    making.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    making.add_argument("--out", type=Path, default=Path("captures"), help="folder to write to")
    counting = verbs.add_parser("count", help="what the wire shows of one clean connection")
    counting.add_argument("files", nargs="+", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.verb == "list":
        for name, recipe in RECIPES.items():
            print(f"{name:27} {(recipe.__doc__ or '').splitlines()[0]}")
    elif arguments.verb == "count":
        print("\n".join(truth.report(file) for file in arguments.files))
    else:
        return min(make(arguments.names, arguments.out), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
