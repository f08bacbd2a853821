"""Captures that are read side by side show what each shows, whoever reads them."""

from pathlib import Path

import pytest

from analyzer import abreast
from analyzer.errors import AnalyzerError
from analyzer.joining import join
from tests.test_joining import played
from tests.vantages import fates


@pytest.mark.parametrize("threads", [False, True], ids=["one by one", "by threads"])
def test_who_reads_the_points_changes_nothing(tmp_path, monkeypatch, threads):
    """Points that threads read side by side show the same, and what cannot be read is refused alike."""
    monkeypatch.setattr(abreast, "worth_threads", lambda _: threads)
    made = played(offset_s=37.25)
    client, server = made.write(tmp_path, forms=("pcap", "pcapng"))

    assert sorted(made.truth, key=str) == fates(join(client, server))

    octets = bytearray(Path(server).read_bytes())
    octets[36:38] = (147).to_bytes(2, "little")  # a link type of somebody's own, which shows at the end of the file
    Path(server).write_bytes(octets)
    with pytest.raises(AnalyzerError, match="link type"):
        join(client, server)
