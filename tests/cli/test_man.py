"""The manual page."""

import shutil
import subprocess

import pytest

from analyzer.cli import VERBS, build, man


def test_the_page_has_every_verb_and_option(keepalive):
    """All that help shows of any verb stands in the page, with what the exit status means."""
    page = keepalive("man").out
    options = {option for verb in build(whole=True)[1].values() for option in verb.options()}

    assert [] == [verb.name for verb in VERBS if f".SS keepalive {man.escaped(verb.name)}\n" not in page]
    assert [] == [option for option in options if rf"\fB{man.escaped(option)}\fR" not in page]
    assert ".SH EXIT STATUS\n" in page


@pytest.mark.parametrize(
    ("text", "expected"), [("a-b", r"a\-b"), (".x", r"\&.x"), ("'x", r"\&'x"), ("a\\b", r"a\eb"), ("", "")]
)
def test_text_is_no_command(text, expected):
    """Hyphens, backslashes and leading dots are printed, not obeyed."""
    assert expected == man.escaped(text)


def test_groff_has_nothing_to_complain_of():
    """The page is formatted without a warning."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    text = "\n".join(man.page()) + "\n"
    done = subprocess.run([groff, "-man", "-Tascii", "-ww"], input=text, capture_output=True, text=True, check=True)

    assert "" == done.stderr
    assert "keepalive report" in done.stdout
