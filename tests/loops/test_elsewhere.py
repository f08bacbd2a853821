"""Another Python, isolated from the folder where we are."""

import os

from analyzer.loops.elsewhere import started
from tests.planted import plant


def test_nothing_is_imported_from_the_current_folder(tmp_path, monkeypatch):
    """It imports this package and the standard library, not what lies here, not even if this folder is on our path."""
    witness = plant(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    child = started("import analyzer.loops.machine, fractions, tempfile")

    assert 0 == child.wait(60)
    assert not witness.exists()


def test_it_has_what_is_put_into_its_environment():
    """A name in the environment reaches it; and a failure shows in its exit status."""
    code = "import os; sys.exit(int(os.environ['STATUS']))"

    assert "STATUS" not in os.environ
    assert 7 == started(code, environment={"STATUS": "7"}).wait(60)
