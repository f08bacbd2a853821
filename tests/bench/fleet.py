"""What a fleet costs, and whether its tables are right at a size that no test has: for docs/fleet.md, by hand.

    python tests/bench/fleet.py parity  --points 200     an archive in S3 (moto's server): tables equal to `report` of
                                                         each point alone, and planted things found
    python tests/bench/fleet.py kills   --points 200     the same, the run killed at 20 random moments and repeated
    python tests/bench/fleet.py scaling                  1 and 2 workers in turn: wall and processor time
    python tests/bench/fleet.py tasks   --tasks 20000    what the scheduler costs a task
    python tests/bench/fleet.py memory                   peak memory of a worker beside that of `report`

Each makes what it needs in a folder of its own, and takes that away.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from captures.recipes import archive  # noqa: E402
from tests.fleet import stores  # noqa: E402

SETTLED = "{host}/*.pcap"


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


def fleet(*arguments, env, **options):
    """Return a run of the command as a process."""
    command = [sys.executable, "-P", "-m", "analyzer", "fleet", *map(str, arguments)]
    return subprocess.Popen(command, env={**env, "PYTHONPATH": str(ROOT)}, **options)


def compare(env, out, folder):
    """Say whether the tables in a store are those of `report` of each point alone, and what is planted is found."""
    os.environ.update({name: env[name] for name in (*stores.SETTINGS, "AWS_ENDPOINT_URL")})
    from analyzer.fleet import ask
    from tests.fleet.archives import as_reported, of_report
    from tests.fleet.test_places import rows
    from tests.fleet.test_questions import address

    tables = rows(out)
    by_point = {}
    for table, each in tables.items():
        for row in each:
            by_point.setdefault(row["capture_point"], {name: [] for name in tables})[table].append(row)
    with tempfile.TemporaryDirectory() as told:
        names = sorted(path for path in folder.iterdir() if path.is_dir())
        differ = [point.name for point in names if of_report(point, Path(told)) != as_reported(by_point[point.name])]
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
        folder = Path(name)
        with served(options.points, options.files, folder) as (env, _):
            since_s = time.monotonic()
            done = fleet("s3://captures", "--out", "s3://tables/t", "--points", SETTLED, "--workers", 2, env=env)
            status = done.wait()
            say(f"status {status}, {time.monotonic() - since_s:.0f} s with 2 workers")
            compare(env, "s3://tables/t", folder)


def kills(options):
    """Kill a run at random moments, and repeat it until it is done."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(options.points, options.files, folder) as (env, _):
            arguments = ("s3://captures", "--out", "s3://tables/t", "--points", SETTLED, "--workers", 2)
            for at in range(options.kills):
                done = fleet(*arguments, env=env, start_new_session=True, stdout=subprocess.DEVNULL)
                wait_s = chance.uniform(2, options.longest)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    done.wait(wait_s)
                was = done.poll()
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(done.pid, signal.SIGKILL)
                done.wait()
                say(f"kill {at + 1}: after {wait_s:.1f} s{'' if was is None else ', which was over'}")
            say(f"the last run: status {fleet(*arguments, env=env).wait()}")
            compare(env, "s3://tables/t", folder)


def scaling(options):
    """Read the same archive with 1 and 2 workers in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive.make(folder / "in", options.points, options.files, bulk=options.bulk)
        octets = sum(path.stat().st_size for path in folder.rglob("*.pcap"))
        say(f"{options.points} points x {options.files} files, {octets / 1e6:.0f} MB")
        for turn in range(options.rounds):
            for workers in (1, 2):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                since_s = time.monotonic()
                fleet(
                    folder / "in", "--out", folder / f"out-{turn}-{workers}", "--workers", workers, env=os.environ
                ).wait()
                took_s = time.monotonic() - since_s
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                say(f"{workers} workers: {took_s:.1f} s, {cpu_s:.1f} s of processors, load {os.getloadavg()[0]:.1f}")


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
            ("fleet", ["fleet", f"{folder}/in", "--out", f"{folder}/out", "--workers", "0"]),
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


def main():
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("parity", "kills", "scaling", "tasks", "memory"))
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--tasks", type=int, default=20_000)
    options = parser.parse_args()
    {"parity": parity, "kills": kills, "scaling": scaling, "tasks": tasks, "memory": memory}[options.what](options)


if __name__ == "__main__":
    main()
