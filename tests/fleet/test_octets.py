"""The octets of a stored file, read in order."""

import gzip

import pytest
import zstandard

from analyzer.capture.source import open_stream
from analyzer.fleet import storage
from analyzer.fleet.octets import Octets
from analyzer.fleet.places import Place
from analyzer.fleet.storage import ReplacedError, StorageError, StoredFile


def whole(octets):
    """Read all octets there are."""
    view, found = memoryview(bytearray(7000)), b""
    while got := octets.readinto(view):
        found += bytes(view[:got])
    octets.verify()
    return found


def test_a_file_that_shrinks_is_not_its_end(tmp_path, monkeypatch):
    """Fewer octets than the listing said are a file that was replaced, never the end of a capture."""
    monkeypatch.setattr(storage, "PAUSE_S", 0)
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(1000))
    place = Place(str(tmp_path))
    (file,) = place.captures()
    path.write_bytes(bytes(10))

    with pytest.raises(ReplacedError, match="was replaced while it was read"):
        whole(place.open(file))

    path.unlink()
    with pytest.raises(StorageError):
        whole(place.open(file))


def test_a_store_that_has_less_than_it_says_fails(tmp_path, monkeypatch):
    """Half an object, again and again, is an error with the position, and no damage of a capture."""
    monkeypatch.setattr(storage, "PAUSE_S", 0)
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(1000))
    place = Place(str(tmp_path))
    (file,) = place.captures()
    lying = StoredFile(file.path, file.name, 2000, file.version)

    with pytest.raises(StorageError, match=r"cannot be read from byte 1000 of 2000 \(the store has no more\)"):
        whole(Octets(place, lying))


@pytest.mark.parametrize("name", ["x.pcap.gz", "x.pcap.zst"])
def test_half_of_a_compressed_object_is_no_end(tmp_path, monkeypatch, name):
    """What decompresses reads in a thread of its own; that the store failed there is known all the same."""
    monkeypatch.setattr(storage, "PAUSE_S", 0)
    octets = bytes(range(256)) * 400
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor().compress
    (tmp_path / name).write_bytes(pack(octets))
    place = Place(str(tmp_path))
    (file,) = place.captures()
    source = Octets(place, StoredFile(file.path, file.name, file.size + 1000, file.version))
    opened = open_stream(name, source, file.size + 1000)
    view = memoryview(bytearray(1 << 20))
    while opened.readinto(view):
        pass
    opened.close()

    with pytest.raises(StorageError, match="the store has no more"):
        source.verify()
