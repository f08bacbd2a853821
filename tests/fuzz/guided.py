"""Fuzzing that is led by coverage: atheris keeps an input if it took a path in the package that none took before.

    pip install -e '.[fuzz]'
    python -m tests.fuzz.guided decode -runs=100000             options of libFuzzer follow the target
    python -m tests.fuzz.guided whole found/ -max_total_time=600  a folder keeps what was found, from run to run

Plain loops only, as nothing else has lines to cover; ``run`` holds the compiled ones against them. An input is octets:
of a frame (after its link type), of a file, or of steps of two endpoints, five octets a step (``tests/traffic.py``).
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path


def frame(octets):
    """Decode a frame, whose link type is the first octet's."""
    from analyzer.capture.headers import segment
    from tests.fuzz import seeds

    if octets:
        kinds = sorted({kind for _, kind in seeds.frames()})
        rest = octets[1:]
        segment.bare({"octet": rest}, 0, len(rest), len(rest), kinds[octets[0] % len(kinds)], {})


def file(octets):
    """Find the frames of a file."""
    from tests.fuzz.targets import HeldWindow, frames_of

    frames_of(HeldWindow({"octet": octets}, memoryview(octets), 0, len(octets)), [3, 1, 4, 1, 5], jit=False)


def steps(octets):
    """Let endpoints do what the octets say, and judge what a tap sees of it."""
    from analyzer.segment import SegmentBatch
    from tests import traffic
    from tests.fuzz.targets import judged, tracked

    drawn = [
        traffic.Step(
            pick(traffic.GAPS + traffic.BACK, gap),
            pick("abcd", who),
            pick(traffic.ACTIONS, what),
            how % 8,
            pick(traffic.FATES, fate),
        )
        for gap, who, what, how, fate in zip(*(octets[at::5] for at in range(5)), strict=False)
    ]
    first = octets[0] if octets else 0
    rows = traffic.capture(drawn[:60], handshake=bool(first & 64), stamps=bool(first & 128), ids=len(octets) % 2 == 0)
    judged([tracked([SegmentBatch(rows, len(rows))], jit=False, seed=1)])


def capture(octets):
    """Read, judge and tell a capture."""
    from tests.fuzz import targets

    with tempfile.NamedTemporaryFile(dir=targets.MEMORY if targets.MEMORY.is_dir() else None) as written:
        written.write(octets)
        written.flush()
        targets.reported(written.name, jit=False, told=1)


def scrub(octets):
    """Scrub a file."""
    from analyzer.errors import CaptureError
    from tests.capture.scrub.scrubbing import scrub_file

    with contextlib.suppress(CaptureError):
        scrub_file(octets)


def pick(values, octet):
    """Return one of some values."""
    return values[octet % len(values)]


def corpora():
    """Return what each target begins with."""
    from tests.fuzz import seeds

    kinds = sorted({kind for _, kind in seeds.frames()})
    small = seeds.pcap_files() + seeds.pcapng_files()
    return {
        "decode": [bytes([kinds.index(kind)]) + octets for octets, kind in seeds.frames()],
        "framing": small,
        "tracker": [bytes(range(at, at + 60)) for at in range(0, 180, 20)],
        "whole": small + seeds.captures(),
        "text": seeds.texts(),
        "share": small + seeds.captures(),
    }


TARGETS = {"decode": frame, "framing": file, "tracker": steps, "whole": capture, "text": capture, "share": scrub}


def main():
    """Fuzz until libFuzzer's options say that it is enough."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz.guided {{{','.join(TARGETS)}}} [FOLDER] [-runs=N ...]")
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()  # libFuzzer ends its process itself, and would leave the folder behind
        if child == 0:
            fuzz(sys.argv[1], [sys.argv[0], *sys.argv[2:], folder], Path(folder))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(abs(status))


def fuzz(name, arguments, folder):
    """Write what to begin with to a folder, and fuzz; this does not return."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=["analyzer"], enable_loader_override=False):
        begin = corpora()[name]
        target(begin[0])
    for at, octets in enumerate(begin):
        (folder / str(at)).write_bytes(octets)
    atheris.Setup(arguments, lambda octets: target(bytes(octets)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
