"""What tests of tshark need: the reason why one does not run here, and a program in its place."""

import os
import shutil
import stat

import pytest

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
needs_tcpdump = pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")


def put_first(folder, monkeypatch, script):
    """Put a shell script called tshark first on PATH; return where it is."""
    path = folder / "tshark"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return str(path)
