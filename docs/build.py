"""Makes the pages that are tables of the program, and lays out the documentation site.

    python docs/build.py tables        writes docs/known-timers.md anew (a test compares it)
    python docs/build.py site FOLDER   lays the site's sources out in FOLDER, for `zensical build`

Pages stand where readers of the repository look for them: README.md and its like at the top, the others here. The site
is made of the same files; links between them are adapted, of links to code only the words are left. Nothing is fetched.
"""

from __future__ import annotations

import inspect
import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
TOP_PAGES: Final = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "captures/README.md": "captures.md",
}
"""Pages outside docs/, and what they are called on the site."""
API: Final = (
    "analyzer",
    "analyzer.testing",
    "analyzer.captured",
    "analyzer.errors",
    "analyzer.judge.record",
    "analyzer.judge.probe",
    "analyzer.judge.events",
    "analyzer.words.model",
)
"""Modules whose docstrings are for users of the Python interface."""

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_IMAGE = re.compile(r'(?<= src=")(?!https?:)([^"]+)(?=")|(?<= srcset=")(?!https?:)([^"]+)(?=")')


# ── tables of the program ──────────────────────────────────────────────────────────────────────────────────────────


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"


def known_timers() -> str:
    """Return the page of known timers and boxes, made from analyzer/judge/signatures.py."""
    from analyzer.judge import signatures as known

    def shown(value: int | known.Chosen) -> str:
        return value.value if isinstance(value, known.Chosen) else str(value)

    def described(word: known.Behaviour | known.Parting) -> str:
        """Return the sentence that stands below a member in the source."""
        source = inspect.getsource(type(word))
        return re.search(rf'{word.name} = .*\n\s+"""(.*)"""', source)[1].rstrip(".")  # type: ignore[index]

    lines = [
        "# Known timers and boxes",
        "",
        "What systems and programs set, what boxes on the way allow, and how closing ends leave FIN-WAIT-2, as the",
        "program knows it: the rows of `analyzer/judge/signatures.py`, written here by `python docs/build.py tables`.",
        "Times are seconds. A match names a *family*, never a program as fact. What else is known of them:",
        "[field guide](field-guide.md) 5 and 6.",
        "",
        "## Systems",
        "",
        "In force where nobody sets others.",
        "",
        *table(
            ("system", "idle", "interval", "count", "source"),
            ((row.name, row.idle_s, row.interval_s, row.count, row.source) for row in known.DEFAULTS),
        ),
        "",
        "## Programs",
        "",
        *table(
            ("program", "idle", "interval", "count", "source"),
            (
                (row.name, shown(row.idle_s), shown(row.interval_s), shown(row.count), row.source)
                for row in known.SOFTWARE
            ),
        ),
        "",
        "## Boxes on the way",
        "",
        *table(
            ("box", "idle limit", "at the limit", "a probe counts as traffic", "source"),
            (
                (row.name, row.idle_s, described(row.behaviour), "yes" if row.keepalive_helps else "no", row.source)
                for row in known.MIDDLEBOXES
            ),
        ),
        "",
        "## FIN-WAIT-2",
        "",
        "How long a closed end whose peer does not close is remembered, and how it is forgotten.",
        "",
        *table(
            ("system", "from", "to", "then", "source"),
            (
                (
                    row.name,
                    row.low_s,
                    "every probe prolongs it" if row.high_s is None else row.high_s,
                    described(row.parting),
                    row.source,
                )
                for row in known.FIN_WAIT_2
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def rule_tables() -> str:
    """Return the page of the decision tables and the long texts, in the words of `keepalive rules`."""
    from analyzer.report import rule_tables as printed
    from analyzer.report.screen import Screen

    def text(lines: Iterable[str]) -> str:
        return "\n".join(lines).rstrip()

    screen = Screen(width=84)  # what fits into a page of the site without scrolling
    parts = [
        "# The tables that decide",
        "",
        "As `keepalive rules --tables` prints them, and behind them what `keepalive rules WORD` says of each word.",
        "",
        f"```text\n{text(printed.tables(screen))}\n```",
    ]
    for code in printed.codes():
        parts += ["", f"## {code}", "", f"```text\n{text(printed.long_text(code, screen))}\n```"]
    return "\n".join(parts) + "\n"


def api_page(module: str) -> str:
    """Return a page that asks for the docstrings of a module."""
    return f"# {module}\n\n::: {module}\n"


# ── the site ───────────────────────────────────────────────────────────────────────────────────────────────────────


def pages() -> dict[str, str]:
    """Return all pages of the site, by name; links between them are adapted."""
    sources = {name: site for name, site in TOP_PAGES.items() if (ROOT / name).exists()}
    sources |= {f"docs/{page.name}": page.name for page in sorted(DOCS.glob("*.md"))}
    made = {site: on_the_site(ROOT / name, sources) for name, site in sources.items()}
    made["rules.md"] = rule_tables()
    made |= {f"api/{module}.md": api_page(module) for module in API}
    return made


def on_the_site(page: Path, sources: dict[str, str]) -> str:
    """Return a page with its links adapted: to other pages under their names there, of those to code only the words."""
    here = page.parent.relative_to(ROOT).as_posix()

    def place(target: str) -> str:
        return posixpath.normpath(posixpath.join(here, target))

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found[1], place(found[2]), found[3] or ""
        return f"[{words}]({sources[target]}{anchor})" if target in sources else words

    text = _LINK.sub(link, page.read_text(encoding="utf-8"))
    return _IMAGE.sub(lambda found: f"pictures/{posixpath.basename(found[0])}", text)


def site(folder: Path) -> None:
    """Lay the site's sources out in a folder: pages, pictures, style sheet."""
    for name, text in pages().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "pictures").mkdir(exist_ok=True)
    for picture in sorted((ROOT / "captures" / "pictures").iterdir()):
        (folder / "pictures" / picture.name).write_bytes(picture.read_bytes())


def main(words: list[str]) -> int:
    """Do what the command line says; give the exit status."""
    sys.path.insert(0, str(ROOT))
    match words:
        case ["tables"]:
            (DOCS / "known-timers.md").write_text(known_timers(), encoding="utf-8")
        case ["site", folder]:
            site(Path(folder))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
