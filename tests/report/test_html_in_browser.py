"""The page in a real browser: it loads, sorts, filters, opens flows, prints, and shows hostile names as text."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.generate import Plan, generate
from tests.browser import browser, missing
from tests.uncovered import environment

ROOT = Path(__file__).parents[2]
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"
HOSTILE = '"><script>document.title="owned"<!--\u2028.pcap'.replace("/", "")

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"not installed: {' and '.join(missing())}")

TABLE = "[...document.querySelectorAll('#table tbody tr')]"
COLUMN = f"return {TABLE}.map(row => row.cells[arguments[0]].textContent)"


def written(capture, folder, *more):
    """The page that the command writes about a capture."""
    out = folder / "report.html"
    command = [sys.executable, "-m", "analyzer", "report", str(capture), "--html", str(out), *more]
    # as users have it: compiled, where that is faster
    subprocess.run(command, cwd=ROOT, env=environment(KEEPALIVE_JIT=""), check=True, capture_output=True, timeout=300)
    return out


def synthetic(folder, flows, segments, probing):
    """The page about a capture of so many flows."""
    with (folder / "many.pcap").open("wb") as out:
        generate(Plan(segments=segments, flows=flows, probing=probing, live=min(flows, 1000), seed=3), out)
    return written(folder / "many.pcap", folder)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """A browser for all tests of this file."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """A page about fifty flows."""
    return synthetic(tmp_path_factory.mktemp("fifty"), 50, 1500, 0.3)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A page about ten thousand flows."""
    return synthetic(tmp_path_factory.mktemp("many"), 10_000, 100_000, 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 390])
def test_it_loads_without_a_complaint(window, fifty, width, dark):
    """The console stays empty, and nothing is wider than the window, light or dark, wide or narrow."""
    window.look(width=width, dark=dark)
    window.open(fifty)

    assert [] == window.complaints()
    assert window.run("return document.documentElement.scrollWidth <= innerWidth")
    assert window.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)"
    )


def test_a_column_sorts_both_ways(window, fifty):
    """A click sorts by number, the largest first, another the other way, and aria-sort says which."""
    window.look()
    window.open(fifty)

    def order():
        window.click("button[data-key=probes]")
        return [int(text.replace(",", "") or 0) for text in window.run(COLUMN, 4)]

    down, said = order(), window.run("return document.querySelector('[data-key=probes]').closest('th').ariaSort")
    assert (sorted(down, reverse=True), "descending") == (down, said)
    up, said = order(), window.run("return document.querySelector('[data-key=probes]').closest('th').ariaSort")
    assert (sorted(up), "ascending") == (up, said)
    assert len(set(down)) > 3


def test_the_keyboard_suffices(window, fifty):
    """Tab reaches the heads of columns, and Enter sorts."""
    window.look()
    window.open(fifty)
    window.run("document.getElementById('probing').focus()")
    window.press("\ue004")
    assert "flow" == window.run("return document.activeElement.dataset.key")
    window.press("\ue007")

    assert sorted(map(int, window.run(COLUMN, 0))) == [int(text) for text in window.run(COLUMN, 0)]


def test_filters_narrow_the_table(window, fifty):
    """Words, an ending and the box each leave the rows that fit, and the count says how many."""
    window.look()
    window.open(fifty)
    window.type("#words", "reset_on_probe 10.0.0.1")
    endings = window.run(COLUMN, 1)
    window.run("const box = document.getElementById('words'); box.value = ''; box.dispatchEvent(new Event('input'))")
    every = window.run(COLUMN, 1)
    window.click("#probing")
    probes = window.run(COLUMN, 4)

    assert {"reset_on_probe"} == set(endings)
    assert 50 == len(every)
    assert "" not in probes
    assert f"{len(probes)} of {len(probes)} flows shown (50 in all)" == window.run(
        "return document.getElementById('shown').textContent"
    )


def test_a_flow_opens(window, fifty):
    """The number of a told flow leads to its story, which opens with picture and evidence."""
    window.look()
    window.open(fifty)
    target = window.run("return document.querySelectorAll('details.story')[3].id")
    window.click(f'#table a[href="#{target}"]')

    assert window.until("return document.getElementById(arguments[0]).open", target)
    assert window.until(
        "return document.getElementById(arguments[0]).getBoundingClientRect().top < innerHeight", target
    )
    assert window.run(
        "return document.querySelector('#' + arguments[0] + ' svg').getBoundingClientRect().height > 100", target
    )
    assert window.run("return document.querySelectorAll('#' + arguments[0] + ' .evidence tbody tr').length > 1", target)


def test_filters_are_copied(window, fifty):
    """The button beside a filter selects it and says that it was copied."""
    window.look()
    window.open(fifty)
    window.click("details.story[open] [data-copy]")

    assert window.run("return getSelection().toString()").startswith("ip.addr == ")
    assert window.run("return document.querySelector('details.story[open] [data-copy]').textContent") in {
        "Copied",
        "Selected",
    }


def test_it_prints_every_story(window, fifty):
    """In print the stories are all open, and the tools are gone."""
    window.look()
    window.open(fifty)
    printed = window.pdf()

    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") > 10


def test_ten_thousand_flows_are_shown_a_slice_at_a_time(window, many):
    """A page about 10,000 flows draws no more rows than are asked for, in whatever order, so that it opens at once."""
    window.look()
    window.open(many)
    first = len(window.run(COLUMN, 0))
    window.click("#more")
    window.click("[data-key=client]")

    assert [] == window.complaints()
    assert (200, "200 of 10,000 flows shown") == (
        first,
        window.run("return document.getElementById('shown').textContent"),
    )


def test_a_flow_without_a_story_says_where_to_get_it(window, many):
    """The number of a flow that is not told opens a row with the command that tells it, and its filters."""
    window.look()
    window.open(many)
    window.click("#table tbody button[aria-expanded]")

    text = window.run("return document.querySelector('tr.more').textContent")
    assert "keepalive explain FILE --flow" in text
    assert re.search(
        r"ip\.addr == [0-9.]+ && ip\.addr == [0-9.]+ && tcp\.port == \d+ && tcp\.port == \d+ && frame", text
    )
    assert re.search(r"tcp and host [0-9.]+ and host [0-9.]+ and port \d+ and port \d+", text)
    window.click("#table tbody button[aria-expanded]")
    assert window.run("return document.querySelector('tr.more')") is None


def test_hostile_names_are_text(window, tmp_path):
    """A file name made of markup and script is read as text, and runs nothing."""
    capture = tmp_path / HOSTILE
    capture.write_bytes(FOUNDING.read_bytes())
    window.look()
    window.open(written(capture, tmp_path))

    assert [] == window.complaints()
    assert "owned" != window.run("return document.title")
    assert '"><script>document.title="owned"<!--\\u2028.pcap' in window.run(
        "return document.querySelector('header').innerText"
    )


def test_a_picture_zooms_into_time_and_names_what_is_under_the_pointer(window, tmp_path):
    """Buttons stretch time alone, marks keep their shape, and the pointer tells time, wall clock and frame."""
    window.look()
    window.open(written(FOUNDING, tmp_path))
    marks = "return [...document.querySelectorAll('.picture[data-zoom] [id*=PathCollection] use')]"
    boxes = marks + ".map(mark => { const box = mark.getBoundingClientRect(); return [box.x, box.width]; })"
    before = window.run(boxes)
    told = window.run(
        "const box = document.querySelector('.picture[data-zoom]');"
        "const mark = box.querySelectorAll('[id*=PathCollection] use')[3].getBoundingClientRect();"
        "box.dispatchEvent(new PointerEvent('pointermove', {clientX: mark.x + mark.width / 2, clientY: mark.y}));"
        "return document.querySelector('.zoom output').textContent"
    )
    window.click(".zoom button")
    after = window.run(boxes)

    widths = [abs(one[1] - two[1]) for one, two in zip(before, after, strict=True)]
    assert max(widths) < 0.5
    assert max(x for x, _ in after) - min(x for x, _ in after) > 1.4 * (
        max(x for x, _ in before) - min(x for x, _ in before)
    )
    assert re.fullmatch(r"\+\d+\.\d{3} s, 2026-11-23 12:4\d:\d\d\.\d{3} UTC, frame \d+, (client|server): .+", told)
    assert [] == window.complaints()
