"""Processes that begin with everything imported."""

import os
import subprocess
import sys

import pytest

from analyzer.fleet import forked

CODE = """
import multiprocessing, sys
from analyzer.fleet import forked

def look(found):
    import os
    imported = {"analyzer.fleet.work", "aiohttp"} <= set(sys.modules)
    threads = len(os.listdir(f"/proc/{os.getppid()}/task"))
    found.put((os.getppid(), imported, threads, os.environ["PYTHONSAFEPATH"], "" in sys.path))

if __name__ == "__main__":
    before = forked.method()
    forked.begin(['/in', 'https://store/in'])
    context = multiprocessing.get_context(forked.method())
    found = context.Queue()
    workers = [context.Process(target=look, args=(found,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    (server, *facts), (same, *_) = found.get(), found.get()
    print(before, forked.method(), server == same, *facts)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the server")
def test_workers_are_forked_from_a_server_that_has_imported(tmp_path):
    """Once it is begun, workers come from one server, with what they need, and find no module in the current folder."""
    pytest.importorskip("aiohttp")
    script = tmp_path / "script.py"
    script.write_text(CODE)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "numpy.py").write_text("raise SystemExit(9)")
    root = os.fspath(forked.__file__).rpartition("/analyzer/")[0]
    done = subprocess.run(
        [sys.executable, "-P", script],
        cwd=tmp_path / "here",
        env={**os.environ, "PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1"},  # as the command has it
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ("spawn forkserver True True 1 1 False\n", "") == (done.stdout, done.stderr)


def test_the_environment_is_what_it_was(monkeypatch):
    """What is set for processes that are started meanwhile is undone afterwards."""
    monkeypatch.setenv("KEEPALIVE_SET", "before")
    monkeypatch.delenv("KEEPALIVE_UNSET", raising=False)
    with forked.environment({"KEEPALIVE_SET": "meanwhile", "KEEPALIVE_UNSET": "meanwhile"}):
        within = os.environ["KEEPALIVE_SET"], os.environ["KEEPALIVE_UNSET"]

    assert ("meanwhile", "meanwhile") == within
    assert ("before", None) == (os.environ["KEEPALIVE_SET"], os.environ.get("KEEPALIVE_UNSET"))
