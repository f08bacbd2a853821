"""Fuzzing that stays: changed frames, files and segment sequences, between guard pages, plain against compiled.

    make fuzz                                       a few minutes of everything
    python -m tests.fuzz.run decode -n 1000000      one target, until so many executions
    python -m tests.fuzz.run decode --seed 7 --batch 12   once more what was reported

Everything runs in child processes, because compiled code that reads outside its data dies there (``guard``). Batches
are drawn from (seed, batch number) and nothing else, so a finding can be repeated from its two numbers. Each run ends
with the number of executions: one frame, file or sequence is one, however often it is run to be compared, and each
sequence of a capture that holds many. ``guided``
has the targets for atheris, which looks for new paths by coverage; ``test_fuzz.py`` is the short form for every
change, bounded by counts.
"""

import argparse
import faulthandler
import gc
import os
import resource
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

BATCHES_OF_A_CHILD = 64


def main(arguments=None):
    """Fuzz as the command line says; 1 if something was found."""
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description="Fuzz keepalive.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("-n", "--executions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--batch", type=int, help="only this batch of the seed")
    parser.add_argument("--log", type=Path, help="add a line here whenever a child is done")
    options = parser.parse_args(arguments)
    if options.batch is not None:
        print(f"{run_batch(options.target, options.seed, options.batch)} executions, nothing found")
        return 0
    done, batch, since_s = 0, 0, time.monotonic()
    while done < options.executions:
        ran, failed = run_child(options.target, options.seed, batch, options.executions - done)
        done += ran
        batch += BATCHES_OF_A_CHILD
        line = f"{options.target} seed {options.seed}: {done} executions in {time.monotonic() - since_s:.0f} s"
        if options.log:
            with options.log.open("a", encoding="utf-8") as log:
                log.write(f"{line}{'; ' + failed if failed else ''}\n")
        if failed:
            print(f"{line}\nFOUND {failed}", file=sys.stderr)
            return 1
    print(f"{line}, nothing found")
    return 0


def run_batch(target, seed, batch):
    """Run one batch here; return how many executions it was."""
    from tests.fuzz.targets import TARGETS

    return TARGETS[target](np.random.default_rng([seed, batch]))


def run_child(target, seed, first, wanted):
    """Run batches in a child until ``wanted`` executions; return how many there were, and what was found."""
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        os.close(reading)
        _run_here(target, seed, first, wanted, writing)
    os.close(writing)
    with os.fdopen(reading, "r", encoding="utf-8") as told:
        lines = told.read().split("\n")[:-1]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    counts = [int(line.partition(" ")[2]) for line in lines if line.startswith("did ")]
    failed = "".join(line[5:] for line in lines if line.startswith("fail "))
    if status:
        at = f"batch {first + len(counts)} of seed {seed}"
        why = failed or (f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}")
        return sum(
            counts
        ), f"{at}: {why}; repeat it with: python -m tests.fuzz.run {target} --seed {seed} --batch {first + len(counts)}"
    return sum(counts), ""


def fork():
    """Fork; the child may die without a word and leaves no core behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of a test runner, which the child does not need
        child = os.fork()
    if child == 0:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return child


def _run_here(target, seed, first, wanted, writing):
    """Be the child: run batches, tell of each, and end the process."""
    done = 0
    gc.freeze()  # what was imported is not looked through again whenever some thousand records were made
    gc.set_threshold(50_000, 20, 20)
    try:
        for batch in range(first, first + BATCHES_OF_A_CHILD):
            ran = run_batch(target, seed, batch)
            done += ran
            os.write(writing, f"did {ran}\n".encode())
            if done >= wanted:
                break
    except BaseException as error:  # noqa: BLE001 - whatever it is, it was found
        os.write(writing, f"fail {type(error).__name__}: {str(error)[:4000]!r}\n".encode())
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
