"""Texts of flows that are alike: learned, made, and never made where flows may differ."""

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.report import bulk, export
from analyzer.report.patterns import ENOUGH, Pattern, Patterns
from analyzer.report.telling import Telling
from tests.hostile.floods import FLOODS, flood


def learned(texts):
    """Return a pattern of texts, given with their addresses and numbers."""
    pattern = Pattern()
    for text, addresses, numbers in texts:
        pattern.learn(text, addresses, numbers)
    return pattern


def made(pattern, addresses, numbers):
    """Return the text of one flow, or None if none can be made."""
    fine, texts = pattern.texts([[each] for each in addresses], np.array([numbers]))
    return texts[0] if fine[0] else None


def told(frame, port, *, address="10.0.0.1"):
    """Return a text with what differs in it."""
    return f"{{{address}:{port} 1.05 s, frame {frame:,}, [{frame}, 12]}}", (address, "10.0.0.10", ""), (frame, port)


def test_numbers_and_addresses_are_put_in():
    """What differs is put in as it was written; what is the same everywhere stays."""
    pattern = learned(told(frame, 40000 + frame, address=f"10.0.0.{frame % 7}") for frame in range(1200, 1210))
    text, addresses, numbers = told(123_456, 7, address="192.0.2.1")

    assert text == made(pattern, addresses, numbers)


def test_nothing_is_made_before_enough_is_known():
    """The first texts are only compared."""
    pattern = learned(told(frame, 80) for frame in range(1200, 1200 + ENOUGH - 1))

    assert made(pattern, *told(1300, 80)[1:]) is None


def test_what_several_rules_explain_is_made_where_they_agree():
    """A port that was the same in each text may be fixed: a flow with another has to be told, and decides."""
    texts = [told(frame, 80) for frame in range(1200, 1210)]
    pattern = learned(texts)

    assert told(2000, 80)[0] == made(pattern, *told(2000, 80)[1:])
    assert made(pattern, *told(2000, 81)[1:]) is None
    pattern.learn(*told(2000, 81))
    assert told(3000, 82)[0] == made(pattern, *told(3000, 82)[1:])


@pytest.mark.parametrize("odd", ["{10.0.0.1:80 1.05 s, frame 5}", told(1300, 80)[0].replace("12]", "13]")])
def test_what_no_rule_explains_is_told(odd):
    """Other words, or a number that is none of the flow's, and nothing is made any more."""
    pattern = learned([told(1200, 80), told(1201, 80), (odd, *told(1300, 80)[1:])])

    assert pattern.is_told
    assert made(pattern, *told(1400, 80)[1:]) is None


def test_of_many_only_those_are_made_that_can_be():
    """Of several flows at once the texts are made where rules agree, in order, and it is said where."""
    pattern = learned([told(frame, 80) for frame in range(1200, 1210)])
    wanted = [told(1300, 80), told(1301, 81), told(1302, 80, address="192.0.2.1")]
    fine, texts = pattern.texts(
        list(zip(*(each[1] for each in wanted), strict=True)), np.array([n for *_, n in wanted])
    )

    assert [True, False, True] == fine.tolist()
    assert [wanted[0][0], wanted[2][0]] == texts


def test_commas_tell_from_a_thousand_on():
    """A number that is written with commas in one text, and may be either, is made only where both look the same."""
    pattern = learned([(f"frame {n}", ("1.1.1.1", "2.2.2.2", ""), (n,)) for n in range(1, 9)])

    assert "frame 999" == made(pattern, ("1.1.1.1", "2.2.2.2", ""), (999,))
    assert made(pattern, ("1.1.1.1", "2.2.2.2", ""), (1000,)) is None


def test_shapes_without_likes_are_given_up():
    """Where hardly a flow is like another, it is no longer looked for."""
    patterns = Patterns()
    patterns._tried = 10_000

    assert not patterns.pay


@pytest.mark.parametrize("kind", [*FLOODS, "probes before and behind a translation"])
def test_floods_are_written_as_flow_by_flow(kind, tmp_path):
    """Every flow of a flood is written, made like others or told, as from its object."""
    path = tmp_path / "flood.pcap"
    path.write_bytes(flood(kind, 400))
    result = analyze(path, jit=False)
    known = Telling()
    for flows, _ in result.together():
        text, ends = bulk.lay_out(flows, result.captures, known, several=False, jit=False).render(jit=False)
        stops = ends.tolist()
        expected = [export.dumps(export.numbered(flow, result.captures, several=False)) for flow in flows]

        assert expected == [text[first:stop] for first, stop in zip([0, *stops], stops, strict=False)]
