"""The libraries that only a fleet needs."""

import pytest

from analyzer.fleet import extras
from analyzer.fleet.extras import MissingFleetError


@pytest.mark.parametrize(("module", "extra"), [("no_such_engine.part", "fleet"), ("s3fs_", "fleet")])
def test_a_missing_library_is_one_sentence(module, extra):
    """It names the library and the extra that has it."""
    name = module.partition(".")[0]

    with pytest.raises(MissingFleetError) as error:
        extras.library(module)

    assert f"this needs {name}, which is not installed: pip install 'keepalive-analyzer[{extra}]'" == str(error.value)


def test_a_store_names_its_own_extra():
    """A client of one kind of store is in an extra of its own."""
    assert "keepalive-analyzer[fleet-s3]" in str(extras.missing("s3fs"))
