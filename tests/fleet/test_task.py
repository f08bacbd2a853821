"""What a worker is asked to do."""

from analyzer.fleet.storage import StoredFile
from analyzer.fleet.task import Task


def test_a_task_names_its_folder_and_knows_its_size():
    """A shard has a folder of its own beside those of the other shards, and the files' sizes add up."""
    files = tuple(("/in", StoredFile(f"/in/a/{at}.pcap", f"/in/a/{at}.pcap", 100 + at, "1")) for at in range(3))
    whole, second = Task("/in/a/#.pcap", files, "/out"), Task("/in/a/#.pcap", files, "/out", 1, 2)

    assert f"{whole.folder}.1-of-2" == second.folder
    assert 303 == whole.octets
