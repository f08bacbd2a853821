"""`python -m captures.recipes list`, `make NAME...`, `lab --out DIR`, `count FILE...`; from the top folder."""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from captures.recipes import endings, founding, synthetic, truth
from captures.recipes.lab.playing import SCENARIOS, play_all, why_not

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


def play(names: list[str], out: Path, jobs: int) -> int:
    """Play scenarios of the lab; the exit status is 1 if any failed, 3 if none can be played here."""
    if reason := why_not(names):
        print(reason, file=sys.stderr)
        return 3
    try:
        failed = play_all(names, out, jobs, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        print("interrupted; the hosts that were made are gone", file=sys.stderr)
        return 130
    print(f"{len(names) - len(failed)} scenarios played, {len(failed)} failed {' '.join(failed)}".rstrip())
    return min(len(failed), 1)


def main() -> int:
    """Read the command line; the exit status is 1 if any capture could not be made."""
    parser = argparse.ArgumentParser(prog="python -m captures.recipes", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the recipes and what each one shows")
    making = verbs.add_parser("make", help="make captures again (needs root, ip and tcpdump)")
    making.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    making.add_argument("--out", type=Path, default=Path("captures"), help="folder to write to")
    lab = verbs.add_parser("lab", help="play the lab's scenarios: captures, and the kernel's truth beside each (root)")
    lab.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    lab.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help="these scenarios (`list` has them)")
    lab.add_argument("--jobs", type=int, default=30, metavar="N", help="so many side by side; they mostly wait")
    counting = verbs.add_parser("count", help="what the wire shows of one clean connection")
    counting.add_argument("files", nargs="+", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.verb == "list":
        for title, table in (("make", RECIPES), ("lab --only", SCENARIOS)):
            print(f"{title}:")
            for name, recipe in table.items():
                print(f"  {name:31} {(recipe.__doc__ or '').splitlines()[0]}")
    elif arguments.verb == "count":
        print("\n".join(truth.report(file) for file in arguments.files))
    elif arguments.verb == "lab":
        return play(arguments.only or list(SCENARIOS), arguments.out, arguments.jobs)
    else:
        return min(make(arguments.names, arguments.out), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
