"""How a recipe is laid out."""

import json
import shlex

from analyzer.howto import CASES, Wanted
from analyzer.report.recipe import as_json, text
from analyzer.report.screen import Screen

HERE, *OTHERS = CASES


def test_commands_are_never_broken():
    """Prose is wrapped to the screen; a command line stands whole, to be copied."""
    recipe = HERE.make(Wanted(hosts=("a.example", "b.example"), ports=(1, 2, 3)))
    lines = list(text(HERE, recipe, OTHERS, Screen(width=60)))

    assert f"  {recipe.steps[0].line}" in lines
    assert [recipe.steps[0].line] == [line.strip() for line in lines if len(line) > 60 and "keepalive how" not in line]


def test_what_is_not_run_is_said():
    """Whether the commands were tried is said of each case, and the other cases are listed."""
    told = {case.name: " ".join(text(case, case.make(Wanted()), OTHERS, Screen(width=200))) for case in CASES}

    assert "These commands were run by our tests, on Linux." in told["here"]
    assert "These commands were not run by our tests (no Windows)" in told["pktmon"]
    assert "keepalive how pktmon" in told["here"]


def test_json_has_all_of_it():
    """The object has every command as the text has it, and each reason."""
    recipe = HERE.make(Wanted())
    made = json.loads(json.dumps(as_json(HERE, recipe, Wanted().filter)))

    assert ("here", "tcp or arp or icmp or icmp6") == (made["case"], made["filter"])
    assert recipe.steps[0].line == made["steps"][0]["line"]
    assert "tcp or arp or icmp or icmp6" == shlex.split(made["steps"][0]["line"])[-1]
    assert [reason.part for reason in recipe.why] == [reason["part"] for reason in made["why"]]
