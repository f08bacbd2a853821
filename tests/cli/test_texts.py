"""Texts of flows, made here and by a second process."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.cli import texts
from analyzer.cli.texts import Texts
from analyzer.together import FlowsTogether
from tests.judging import CAPTURES

PATHS = [str(path) for path in sorted(CAPTURES.glob("*.pcap"))]


@pytest.fixture(scope="module")
def analysis():
    """The flows of all captures here."""
    return analyze(*PATHS, one_stream=False)


@pytest.fixture
def second(monkeypatch):
    """A second process is worth while, wherever this runs."""
    monkeypatch.setattr(texts, "WORTH_OCTETS", 1)
    monkeypatch.setattr(texts.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(texts.choice, "kept", lambda: True)
    monkeypatch.setattr(texts.choice, "jit_allowed", lambda: True)


def written(analysis, form, **options):
    """Return the texts of each capture's flows, and in how many flows each finding is."""
    made = Texts(form, analysis.captures, several=True)
    return list(made.of(analysis.together(), **options)), made.found


def test_texts_are_the_same_whoever_makes_them(analysis, second, monkeypatch):
    """With a second process each text comes once, in its turn, as it does without, and findings are counted."""
    alone = written(analysis, "json")
    asked = []
    ask = texts._Helper.ask
    monkeypatch.setattr(texts._Helper, "ask", lambda self, *some: (asked.append(some), ask(self, *some))[1])

    assert alone == written(analysis, "json", octets=1)
    assert len(asked) >= texts.GIVEN


def test_what_a_failing_process_owes_is_made_here(analysis, second, monkeypatch, capsys):
    """If the second process ends before it has made its texts, none is missing, and that is said once."""
    monkeypatch.setattr(texts, "_help", slice)  # which takes as much, and returns
    alone, found = written(analysis, "jsonl")

    assert (alone, found) == written(analysis, "jsonl", octets=1)
    (said,) = capsys.readouterr().err.splitlines()
    assert "a second process that helps to write failed (it ended with status 0): this one writes alone" in said


def wrong(pipe, form, several):
    """Help as the second process does, of a form that there is not: what it is given it cannot make."""
    texts._help(pipe, "no such form", several)


def test_why_it_failed_is_said(analysis, second, monkeypatch, capsys):
    """An error of the second process is told by its kind and words, and the texts are the same."""
    alone, found = written(analysis, "jsonl")
    monkeypatch.setattr(texts, "_help", wrong)

    assert (alone, found) == written(analysis, "jsonl", octets=1)
    (said,) = capsys.readouterr().err.splitlines()
    assert re.search(r"failed \(\w+(Error|Exception|Failure)\b.*\): this one writes alone", said)


def test_flows_that_cannot_be_sent_hold_up_nobody(analysis, second, monkeypatch, capsys):
    """If flows cannot be packed for the second process no text is waited for, and the reason is said."""

    def refuse(_):
        raise TypeError("cannot pickle this")

    alone, found = written(analysis, "jsonl")
    monkeypatch.setattr("analyzer.together.FlowsTogether.alone", refuse)

    assert (alone, found) == written(analysis, "jsonl", octets=1)
    assert "failed (TypeError: cannot pickle this)" in capsys.readouterr().err


def test_without_another_process_all_is_made_here(analysis, second, monkeypatch):
    """Where no process can be started the texts are made all the same."""

    def refuse(_):
        raise BlockingIOError

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", refuse)
    alone, found = written(analysis, "jsonl")

    assert (alone, found) == written(analysis, "jsonl", octets=1)


def test_small_captures_have_no_second_process(analysis, second, monkeypatch):
    """What takes less time than a process to start is made here, and so is what somebody waits for."""
    monkeypatch.setattr(texts, "_Helper", None)

    assert written(analysis, "jsonl", octets=0) == written(analysis, "jsonl", octets=1, at_once=True)


def test_flows_that_are_sent_are_whole(analysis):
    """Some flows of a batch, without the others, have the same text."""
    flows, _ = next(analysis.together())
    some = flows.take(np.arange(0, len(flows), 2))
    alone = some.alone()

    assert isinstance(alone, FlowsTogether)
    assert [flow.judged.record for flow in some] == [flow.judged.record for flow in alone]
    lines = Texts("jsonl", analysis.captures).later(alone)().splitlines()
    assert Counter(len(json.loads(line)["findings"]) > 0 for line in lines)[True] > 0


def test_tables_of_arrow_come_from_there_too(analysis, second):
    """What is written to Parquet files is the same as without a second process."""
    pytest.importorskip("pyarrow")

    assert written(analysis, "parquet") == written(analysis, "parquet", octets=1)
