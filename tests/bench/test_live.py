"""The measurement of live capture runs, and its numbers agree with each other."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.live
@pytest.mark.slow
def test_a_small_load_is_measured():
    """Every program sees the load, every probe that the kernel sent is seen, and nothing is lost."""
    if shutil.which("tcpdump") is None or shutil.which("ip") is None:
        pytest.skip("needs tcpdump and ip")

    command = [sys.executable, str(HERE / "live.py"), "--rate", "3000", "--seconds", "2.5", "--connections", "3"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout
    ours = re.findall(r"keepalive watch(?: -w)? +(\d+) of (\d+) probes seen; ([\d,]+) packets, (\d+) lost", out)

    assert 2 == len(ours)
    assert all(seen == sent != "0" and lost == "0" for seen, sent, _, lost in ours)
    assert 3 == len(re.findall(r"(\d,\d{3}|\d{4,}) packets, 0 lost", out))
