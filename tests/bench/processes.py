"""A command with all processes that it starts: how long it takes, and what each of them uses of the processors.

``getrusage`` knows only processes that somebody waits for; those of a fork server it does not have. So all of a process
group are looked at in /proc while they run (Linux).
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LOOK_S = 0.02
LEAST_S = 0.05
"""A process that used less has begun no work."""


@dataclass
class Used:
    """What a command took."""

    wall_s: float = 0.0
    client_s: float = 0.0
    """Processor time of the command itself, with the scheduler that runs in it."""
    server_s: float = 0.0
    """Of what workers are forked from, and other helpers of Python."""
    workers_s: list = field(default_factory=list)
    workers_mib: list = field(default_factory=list)
    """Peak memory of each, with what it shares with the process that it was forked from."""
    status: int = 0
    others_s: float = 0.0
    """What everything else on the machine used meanwhile: a time by the clock is worth nothing where that is much."""

    @property
    def all_s(self):
        """Processor time of all of them."""
        return self.client_s + self.server_s + sum(self.workers_s)

    def __str__(self):
        """Return a line of it."""
        workers = " + ".join(f"{each:.1f}" for each in self.workers_s)
        return (
            f"{self.wall_s:.1f} s; of processors {self.all_s:.1f} s: client and scheduler {self.client_s:.1f}, "
            f"fork server {self.server_s:.1f}, workers {workers}; others {self.others_s:.1f} s"
        )


def looked_at(process):
    """Return, by process of the group, its parent, seconds of processor time, arguments and peak memory in MiB."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(stat[2]) == process.pid:
                    used_s = (int(stat[11]) + int(stat[12])) * TICK_S
                    peak = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())
                    peak_mib = int(peak[1]) // 1024 if peak else 0
                    found[int(folder.name)] = int(stat[1]), used_s, (folder / "cmdline").read_bytes(), peak_mib
            except OSError:
                continue
    return found


def busy_s():
    """Return how long the processors of this machine have worked since it began, taken together."""
    used = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]))
    return (sum(used) - used[3] - used[4]) * TICK_S


def quiet(most_s, share=0.1, look_s=2.0):
    """Wait until others use no more than a share of the processors, but no longer than ``most_s``."""
    until_s = time.monotonic() + most_s
    while time.monotonic() < until_s:
        before_s = busy_s()
        time.sleep(look_s)
        if busy_s() - before_s <= share * look_s * os.cpu_count():
            return


def started(command, **options):
    """Start a command in a process group of its own."""
    return subprocess.Popen(list(map(str, command)), process_group=0, **options)


def used(command, **options):
    """Run a command; return what it took."""
    since_s, before_s = time.monotonic(), busy_s()
    process = started(command, **options)
    seen = {}
    while process.poll() is None:
        for name, (parent, used_s, arguments, peak_mib) in looked_at(process).items():
            _, _, before, peak = seen.get(name, (0, 0, b"", 0))
            seen[name] = parent, used_s, before or arguments, max(peak, peak_mib)
        time.sleep(LOOK_S)
    took = Used(time.monotonic() - since_s, status=process.returncode)
    servers = {
        name for name, (_, _, arguments, _) in seen.items() if name != process.pid and b"multiprocessing" in arguments
    }
    for name, (parent, used_s, arguments, peak_mib) in sorted(seen.items()):
        if name == process.pid:
            took.client_s = used_s
        elif used_s > LEAST_S and (parent in servers or b"spawn_main" in arguments):
            took.workers_s.append(used_s)
            took.workers_mib.append(peak_mib)
        else:
            took.server_s += used_s
    took.others_s = max(busy_s() - before_s - took.all_s, 0.0)
    return took
