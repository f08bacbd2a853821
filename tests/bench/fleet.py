"""What a fleet costs, and whether its tables are right at a size that no test has: for docs/fleet.md, by hand.

    python tests/bench/fleet.py parity  --points 200     an archive in S3 (moto's server): tables equal to `report` of
                                                         each point alone, and planted things found
    python tests/bench/fleet.py kills   --points 200     the same, runs killed at 20 random moments and repeated
    python tests/bench/fleet.py arrive  --points 20      files arrive over ten runs: tables equal to one run over all
    python tests/bench/fleet.py scaling --points 200     1 and 2 workers in turn: by the clock and of processors
    python tests/bench/fleet.py tasks   --tasks 20000    what the scheduler costs a task
    python tests/bench/fleet.py memory                   peak memory of a worker beside that of `report`

Each makes what it needs in a folder of its own, and takes that away.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from captures.recipes import archive  # noqa: E402
from tests.bench import processes  # noqa: E402
from tests.fleet import stores  # noqa: E402

SETTLED = "{host}/*.pcap"
MOST_DONE = 2 / 3
"""Where more than this share of points is done, a run is not killed any more."""


def say(text):
    """Print at once."""
    print(text, flush=True)


@contextlib.contextmanager
def served(points, files, folder):
    """Give the environment in which an archive is in a store."""
    with store_process() as address:
        made = archive.make(folder, points, files)
        stores.put(address, "captures", folder)
        stores.put(address, "tables", Path(tempfile.mkdtemp()))
        yield {**os.environ, **stores.SETTINGS, "AWS_ENDPOINT_URL": address}, made


@contextlib.contextmanager
def store_process():
    """Give the address of a store in a process of its own."""
    code = (
        "from moto.server import ThreadedMotoServer as S\n"
        "import time\n"
        "s = S(ip_address='127.0.0.1', port=0, verbose=False); s.start()\n"
        "print('http://{}:{}'.format(*s.get_host_and_port()), flush=True)\n"
        "time.sleep(1 << 20)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def command(*arguments):
    """Return the command line of a run."""
    return [sys.executable, "-P", "-m", "analyzer", "fleet", *map(str, arguments)]


def environment(env, folder):
    """Return an environment in which this program is found, and is imported as it is where it is installed."""
    (folder / "tmp").mkdir(exist_ok=True)
    env = {
        **env,
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "TMPDIR": str(folder / "tmp"),
    }
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def reports(folder):
    """Return the tables that ``report`` writes of each point of an archive, by the point's name."""
    from tests.fleet.archives import of_report

    with tempfile.TemporaryDirectory() as told:
        return {path.name: of_report(path, Path(told)) for path in sorted(folder.iterdir()) if path.is_dir()}


def compare(env, out, folder, reported):
    """Say whether the tables in a store are those of `report` of each point alone, and what is planted is found."""
    os.environ.update({name: env[name] for name in (*stores.SETTINGS, "AWS_ENDPOINT_URL") if name in env})
    from analyzer.fleet import ask
    from tests.fleet.archives import as_reported
    from tests.fleet.test_places import rows
    from tests.fleet.test_questions import address

    tables = rows(out)
    by_point = {}
    for table, each in tables.items():
        for row in each:
            by_point.setdefault(row["capture_point"], {name: [] for name in tables})[table].append(row)
    differ = [name for name, report in reported.items() if report != as_reported(by_point[name])]
    truth = json.loads((folder / "archive.json").read_text())
    leaks = {(row["service_host"], row["service_port"], row["connections"]) for row in ask(out, "close_wait")}
    limits = {(row["server_host"], row["server_port"]) for row in ask(out, "idle_limits")}
    resets = {(row["reset_by"], row["service_port"], row["connections"]) for row in ask(out, "resets")}
    dead = {row["noticed_by"] for row in ask(out, "dead_peers")}
    wanted = (
        {(address(name), 8080, 3) for name in truth["leak"]},
        {(address(name), port) for name in truth["limit"] for port in (None, 6379)},
        {
            *((address(name), 7000, 4) for name in truth["reset"]),
            *((address(name), 7777, 2) for name in truth["dispute"]),
            *((address(name), 6379, 4) for name in truth["limit"]),
        },
        {address(name) for name in truth["dead"]},
    )
    twice = {(row["point_1"], row["disagree"]) for row in ask(out, "seen_twice")}
    pairs = {*((name, False) for name in truth["shared"]), *((name, True) for name in truth["dispute"])}
    flows = sum(len(each["flows"]) for each in by_point.values())
    say(f"{len(by_point)} points, {flows} flows, {len(differ)} points differ from report {differ[:3]}")
    for what, found, planted in zip(
        ("leaks", "limits", "resets", "dead peers", "seen twice"),
        (leaks, limits, resets, dead, twice),
        (*wanted, pairs),
        strict=True,
    ):
        say(f"  {what}: {len(planted)} planted, {len(found & planted)} found, {len(found - planted)} others")


def parity(options):
    """Read an archive in a store, and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "in")
        with served(options.points, options.files, folder) as (env, _):
            arguments = ("s3://captures", "--out", "s3://tables/t", "--points", SETTLED, "--workers", 2)
            took = processes.used(command(*arguments), env=environment(env, Path(name)))
            say(f"status {took.status}, 2 workers: {took}")
            compare(env, "s3://tables/t", folder, reports(folder))


def stored(address, prefix):
    """Return which points have tables in a store, below a folder, and which have files that nothing names yet."""
    found, after = [], ""
    place = http.client.HTTPConnection(address.removeprefix("http://"))
    while True:
        place.request("GET", f"/tables?list-type=2&prefix={prefix}/&start-after={urllib.parse.quote(after)}")
        text = place.getresponse().read().decode()
        found += re.findall("<Key>(.*?)</Key>", text)
        if "<IsTruncated>true" not in text:
            break
        after = found[-1]
    place.close()
    paths = [each.partition("/points/")[2].split("/") for each in found if "/points/" in each]
    done = {folder for folder, name in paths if name == "manifest.json"}
    return done, {folder for folder, _ in paths} - done


def kills(options):
    """Kill runs at random moments, and repeat them until most is done; finish, compare, and begin anew for more.

    A moment is a share of the time that what is left would take, a random one of each twentieth, so that they are
    spread over whole runs; and a run of which little would be left is not killed, so that few are in its beginning.
    """
    chance = random.Random(options.seed)
    shares = [(at + chance.random()) / options.kills for at in range(options.kills)]
    chance.shuffle(shares)
    counts = dict.fromkeys(("before the first point", "in the middle", "after the last point"), 0)
    writing = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "in")
        with served(options.points, options.files, folder) as (env, _):
            reported = reports(folder)
            run_env = environment(env, Path(name))

            def arguments(out):
                return command("s3://captures", "--out", out, "--points", SETTLED, "--workers", 2)

            first = processes.used(arguments("s3://tables/whole"), env=run_env, stdout=subprocess.DEVNULL)
            again = processes.used(arguments("s3://tables/whole"), env=run_env, stdout=subprocess.DEVNULL)
            say(f"a whole run takes {first.wall_s:.1f} s, one that finds nothing new {again.wall_s:.1f} s")
            series = 0
            while shares:
                series += 1
                out = f"s3://tables/killed-{series}"
                begun = set(), set()
                while shares and len(begun[0]) <= MOST_DONE * options.points:
                    share = shares.pop()
                    left = 1 - len(begun[0]) / options.points
                    wait_s = share * (again.wall_s + left * (first.wall_s - again.wall_s))
                    running = processes.started(arguments(out), env=run_env, stdout=subprocess.DEVNULL)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        running.wait(wait_s)
                    over = running.poll() is not None
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(running.pid, signal.SIGKILL)
                    running.wait()
                    found = stored(env["AWS_ENDPOINT_URL"], f"killed-{series}")
                    where = (
                        "after the last point"
                        if over or len(found[0]) == options.points
                        else "in the middle"
                        if len(found[0]) > len(begun[0])
                        else "before the first point"
                    )
                    counts[where] += 1
                    writing += bool(found[1])
                    say(
                        f"series {series}, kill {options.kills - len(shares)}: at {share:.0%}, after {wait_s:.1f} s, "
                        f"{where}: {len(begun[0])} points were done before it began, {len(found[0])} when it was "
                        f"killed, {len(found[1])} half written"
                    )
                    begun = found
                last = processes.used(arguments(out), env=run_env)
                say(f"series {series}: the last run: status {last.status}, {last.wall_s:.1f} s")
                compare(env, out, folder, reported)
    say(f"{options.kills} kills: " + ", ".join(f"{count} {where}" for where, count in counts.items()))
    say(f"after {writing} of them points were half written")


def arrive(options):
    """Let files arrive one by one at each point, with a run after each, and compare with one run over all."""
    from tests.fleet import archives

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive.make(folder / "in", options.points, options.files)
        env = environment(os.environ, folder)
        for count in range(1, options.files + 1):
            archives.arrive(folder / "in", folder / "arrived", count)
            took = processes.used(
                command(folder / "arrived", "--out", folder / "many", "--points", SETTLED, "--workers", 2), env=env
            )
            say(f"run {count}: status {took.status}, {took.wall_s:.1f} s")
        once = command(folder / "arrived", "--out", folder / "once", "--points", SETTLED, "--workers", 2)
        say(f"one run over all: status {processes.used(once, env=env).status}")
        many, one = archives.of_fleet(folder / "many"), archives.of_fleet(folder / "once")
        rows = {table: len(each) for table, each in one.items()}
        differ = [table for table in one if one[table] != many[table]]
        say(f"{options.points} points, {options.files} runs, rows {rows}: tables that differ: {differ or 'none'}")


def multiply(folder, copies):
    """Give an archive so many times its points: the others' files are links to those of the first."""
    for point in sorted(path for path in folder.iterdir() if path.is_dir()):
        for copy in range(1, copies):
            shutil.copytree(point, folder / f"{point.name}-{copy}", copy_function=os.link)


def scaling(options):
    """Read the same archive with 1 and 2 workers in turn."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        archive.make(folder / "in", options.points, options.files, connections=options.connections, bulk=options.bulk)
        multiply(folder / "in", options.copies)
        files = list((folder / "in").rglob("*.pcap"))
        octets = sum(path.stat().st_size for path in files)
        each_mb = octets / len(files) / 1e6
        points = options.points * options.copies
        say(f"{points} points x {options.files} files of {each_mb:.2f} MB, {octets / 1e6:.0f} MB in all")
        env = environment(os.environ, folder)
        read = command(folder / "in", "--out", folder / "out", "--workers")
        took = {1: [], 2: []}
        processes.used(
            [*read, 2], env=env, stdout=subprocess.DEVNULL
        )  # loops, modules and files are where they will be
        for _ in range(options.rounds):
            for workers, each in took.items():
                shutil.rmtree(folder / "out")
                processes.quiet(options.wait)
                each.append(processes.used([*read, workers], env=env, stdout=subprocess.DEVNULL))
                if each[-1].status:
                    raise SystemExit(each[-1].status)
                say(f"{workers} workers: {each[-1]}")
        one, two = (min(each, key=lambda used: used.wall_s) for each in took.values())
        say(f"the fastest of each: {one.wall_s:.2f} s and {two.wall_s:.2f} s: {one.wall_s / two.wall_s:.2f} times")
        one, two = (min(used.all_s for used in each) for each in took.values())
        say(f"the least processor time of each: {one:.1f} s and {two:.1f} s: {two / one - 1:+.0%}")


def tasks(options):
    """Measure what the scheduler costs a task that does nothing."""
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):
        client.gather([client.submit(abs, -at, pure=False) for at in range(100)])
        used = time.process_time()
        since_s = time.monotonic()
        futures = [client.submit(abs, at, key=f"task-{at}", pure=False) for at in range(options.tasks)]
        done = sum(1 for _ in distributed.as_completed(futures))
        took_s, used = time.monotonic() - since_s, time.process_time() - used
        each_ms, used_ms = (value / done * 1e3 for value in (took_s, used))
        say(f"{done} tasks in {took_s:.1f} s: {each_ms:.2f} ms each, {used_ms:.2f} ms of processor")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(f"peak memory of client and scheduler: {peak:.0f} MiB")


def memory(options):
    """Compare the peak memory of a worker with that of `report`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive.make(folder / "in", 1, options.files, connections=options.connections, bulk=options.bulk)
        octets = sum(path.stat().st_size for path in folder.rglob("*.pcap"))
        say(f"{octets / 1e6:.0f} MB, {options.connections} connections")
        for what, arguments in (
            ("report", ["report", f"{folder}/in/host-0000", "--parquet", f"{folder}/report"]),
            ("fleet in one process", ["fleet", f"{folder}/in", "--out", f"{folder}/out", "--workers", "0"]),
        ):
            code = (
                "import resource, sys; from analyzer.cli import main; status = main(sys.argv[1:])\n"
                "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
                "used = resource.getrusage(resource.RUSAGE_SELF)\n"
                "print(int(peak) // 1024, round(used.ru_utime + used.ru_stime, 1))\nsys.exit(status)"
            )
            done = subprocess.run(
                [sys.executable, "-P", "-c", code, "-q", *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            )
            peak, used = done.stdout.split()[-2:]
            say(f"{what}: peak {peak} MiB, {used} s of processors")
        arguments = command(folder / "in", "--out", folder / "forked", "--workers", 1)
        took = processes.used(arguments, env=environment(os.environ, folder), stdout=subprocess.DEVNULL)
        say(f"a worker of its own: peak {max(took.workers_mib)} MiB, {took.workers_s[0]:.1f} s of processors")


def main():
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("parity", "kills", "arrive", "scaling", "tasks", "memory"))
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument(
        "--copies", type=int, default=1, help="of each point, as links: a longer archive on no more disk"
    )
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait at most until others are quiet")
    parser.add_argument("--folder", default=None, help="where files are made (default: where temporary files are)")
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--tasks", type=int, default=20_000)
    options = parser.parse_args()
    {
        "parity": parity,
        "kills": kills,
        "arrive": arrive,
        "scaling": scaling,
        "tasks": tasks,
        "memory": memory,
    }[options.what](options)


if __name__ == "__main__":
    main()
