"""What stored files are called, and how a store's failures are said."""

import pytest

from analyzer.fleet.storage import named, reason, version_of


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket/a", "s3://bucket/a"),
        ("https://user:secret@host/a?token=secret#secret", "https://host/a"),
        ("abfs://container@account/a", "abfs://account/a"),
        ("file:///var/captures", "/var/captures"),
        ("captures", "captures"),
    ],
)
def test_names_have_no_secrets(url, name):
    """Of a URL only scheme, host and path are ever said."""
    assert name == named(url)[1]


class RefusedError(Exception):
    """What a store's library raises."""

    status = 403


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError("s3://secret"), "it is not there"),
        (TimeoutError("secret"), "no answer in time"),
        (RefusedError("https://host/?token=secret"), "status 403"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_reasons_have_no_secrets(error, words):
    """What a library says is not passed on, only its kind."""
    assert words == reason(error)


def test_a_version_is_the_tag_or_size_and_time():
    """The store's tag goes before times."""
    assert "3-abc" == version_of({"size": 3, "ETag": '"abc"', "mtime": 5})
    assert version_of({"size": 3, "mtime": 5, "ino": 1}) != version_of({"size": 3, "mtime": 6, "ino": 1})
