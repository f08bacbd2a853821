"""Questions that are asked of a fleet's tables."""

import json
import shutil
from pathlib import Path

import pytest

from analyzer.fleet import ask, running
from analyzer.fleet.questions import ORDER, QuestionError, Tables, question, questions
from tests.capture.craft import pcap
from tests.fleet.archives import made
from tests.survey.test_limits import LATE_S, STEPPED_S, in_steps

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

POINTS = 8


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return the tables of an archive, and what is planted in it."""
    folder, out = tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("tables")
    truth = made(folder, POINTS, 3)
    running.run([str(folder)], str(out), workers=0, points="{host}/*.pcap")
    return str(out), truth


def address(point):
    """Return the address of a point's host."""
    return f"10.1.0.{int(point[-4:])}"


def test_all_that_is_planted_is_found_and_nothing_else(planted):
    """Leaks, limits, resets, dead peers, and connections seen twice are exactly those that the archive has."""
    out, truth = planted
    leaks = ask(out, "close_wait")
    limits = ask(out, "idle_limits")
    resets = ask(out, "resets")
    dead = ask(out, "dead_peers")

    assert {(address(point), 8080, 3) for point in truth["leak"]} == {
        (row["service_host"], row["service_port"], row["connections"]) for row in leaks
    }
    assert {(address(point), port, 340.0, 361.0) for point in truth["limit"] for port in (None, 6379)} == {
        (row["server_host"], row["server_port"], row["survived_s"], row["died_s"]) for row in limits
    }
    assert {
        *((address(point), 7000, "abort-without-fin", 4) for point in truth["reset"]),
        *((address(point), 7777, "abort-without-fin", 2) for point in truth["dispute"]),
        *((address(point), 6379, "idle-limit", 4) for point in truth["limit"]),
    } == {(row["reset_by"], row["service_port"], row["cause"], row["connections"]) for row in resets}
    assert {(address(point), 110.0) for point in truth["dead"]} == {
        (row["noticed_by"], row["longest_s"]) for row in dead
    }
    assert [] == ask(out, "silent")


@pytest.mark.parametrize("near", [0, 12])
def test_a_limit_that_is_kept_late_is_one_if_flows_well_apart_tell_it(tmp_path, near):
    """As with a report, a limit whose bounds overlap is told, unless nearly all that survived are near the bound."""
    capture = in_steps((*LATE_S, *[1000] * near), silences=(*STEPPED_S, *[372] * near))
    (tmp_path / "archive" / "host").mkdir(parents=True)
    octets = pcap(sorted(capture.frames, key=lambda frame: frame.ts_ns))
    (tmp_path / "archive" / "host" / "made.pcap").write_bytes(octets)
    out = str(tmp_path / "tables")
    running.run([str(tmp_path / "archive")], out, workers=0, points="{host}/*.pcap")

    told = [(row["survived_s"], row["died_s"], row["survived"], row["died"]) for row in ask(out, "idle_limits")]

    assert told == ([] if near else [(371.0, 365.0, 6, 5)] * 2)


def test_a_connection_that_two_points_saw_is_joined(planted):
    """Those of neighbouring points are laid side by side, and where they tell different ends, that is said."""
    out, truth = planted
    found = {(row["point_1"], row["point_2"], row["disagree"], row["translated"]) for row in ask(out, "seen_twice")}
    following = {name: f"host-{int(name[-4:]) + 1:04d}" for names in truth.values() for name in names}

    assert {
        *((name, following[name], False, False) for name in truth["shared"]),
        *((name, following[name], True, False) for name in truth["dispute"]),
    } == found
    assert [("aborted", "server", "open", None)] * 2 == [
        (row["verdict_1"], row["ended_by_1"], row["verdict_2"], row["ended_by_2"]) for row in ask(out, "disagreements")
    ]


def test_a_translated_connection_is_joined_by_its_numbers(planted, tmp_path):
    """Where one point saw other addresses, the initial sequence numbers tell that it is the same connection."""
    _, truth = planted
    (tmp_path / "renamed.sql").write_text("SELECT * FROM seen_twice")
    shared = truth["shared"][0]
    folder = tmp_path / "archive"
    made(folder, POINTS, 3)
    for path in (folder / shared).glob("*.pcap"):
        octets = path.read_bytes()
        there = int(shared[-4:]) + 1
        path.write_bytes(octets.replace(bytes((10, 1, 0, there)), bytes((192, 168, 7, 7))))
    running.run([str(folder)], str(tmp_path / "out"), workers=0, points="{host}/*.pcap")

    rows = [row for row in ask(str(tmp_path / "out"), "seen_twice") if row["point_1"] == shared]
    assert [(True, False)] * 2 == [(row["translated"], row["disagree"]) for row in rows]


LAB = Path(__file__).parents[2] / "captures" / "lab"


@pytest.mark.parametrize("name", ["both", "once"])
def test_a_connection_that_two_points_saw_counts_once(tmp_path, name):
    """What both ends' captures show of one connection is one dead peer, one RST, and its probes once."""
    for point, file in (("client", "fw_silent_drop"), ("server", "fw_silent_drop.peer"), ("copy", "fw_silent_drop")):
        if name == "both" or point == "client":
            (tmp_path / "in" / point).mkdir(parents=True)
            shutil.copy(LAB / f"{file}.pcap", tmp_path / "in" / point / "a.pcap")
    out = str(tmp_path / "out")
    running.run([str(tmp_path / "in")], out, workers=0, points="{host}/*.pcap")

    assert [1] == [row["connections"] for row in ask(out, "dead_peers")]
    assert [(7, 1)] == [(row["probes"], row["flows"]) for row in ask(out, "probes_by_host")]
    assert [1] == [row["ends"] for row in ask(out, "software")]


def test_connections_of_one_point_are_not_one_for_their_numbers(tmp_path):
    """A program that always begins with the same numbers makes connections, not sightings of one."""
    capture = in_steps(LATE_S, silences=STEPPED_S)
    folder = tmp_path / "in" / "host"
    folder.mkdir(parents=True)
    (folder / "a.pcap").write_bytes(pcap(sorted(capture.frames, key=lambda frame: frame.ts_ns)))
    out = str(tmp_path / "out")
    running.run([str(tmp_path / "in")], out, workers=0, points="{host}/*.pcap")

    assert {1} == {row["sighting"] for row in ask(out, "connections")}


def test_every_question_has_a_title_and_an_answer(planted):
    """All files of questions are views, have a title and a meaning, and are told in their order."""
    out, _ = planted
    with Tables(out) as tables:
        assert list(ORDER) == tables.names
        answers = [tables.ask(name, 2) for name in tables.names]

    assert all(answer.title and answer.meaning and answer.columns for answer in answers)
    assert all(len(answer.rows) <= 2 and answer.total >= len(answer.rows) for answer in answers)


def test_anyone_can_ask_more(planted, tmp_path):
    """A folder of SQL adds questions, over tables and over other questions, and replaces those of the same name."""
    out, _ = planted
    (tmp_path / "zz_mine.sql").write_text("-- Mine\n-- Says nothing.\nSELECT count(*) AS n FROM aa_base;\n")
    (tmp_path / "aa_base.sql").write_text("SELECT * FROM flows WHERE verdict = 'closed'")
    (tmp_path / "endings.sql").write_text("-- Other endings\nSELECT 1 AS one")

    assert [{"one": 1}] == ask(out, "endings", views=[tmp_path])
    assert ask(out, "zz_mine", views=[tmp_path])[0]["n"] > POINTS
    assert ["aa_base", "zz_mine"] == [each.name for each in questions([tmp_path])][-2:]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT 1; COPY flows TO 'stolen.csv'",
        "SELECT 1; SET enable_external_access=true",
        "SELECT 1; INSTALL httpfs",
        "SELECT * FROM planted",
        "no SQL at all",
    ],
)
def test_a_question_opens_nothing(planted, tmp_path, sql):
    """A question reaches the tables, and no file, variable or network."""
    out, _ = planted
    (tmp_path / "evil.sql").write_text(sql)

    with pytest.raises(QuestionError):
        ask(out, "evil", views=[tmp_path])
    assert ["evil.sql"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["flows", "Drop", "a b", "x;y", "1x", "", "a" * 70])
def test_names_of_questions_are_plain(name):
    """A name that is none of a view, or one of a table, is refused."""
    with pytest.raises(QuestionError, match="expected a name"):
        question(name, "SELECT 1")


def test_no_tables_is_a_sentence(tmp_path):
    """A folder without tables, and a question that is none, are said."""
    with pytest.raises(QuestionError, match="no tables there; keepalive fleet SOURCE --out"):
        ask(str(tmp_path), "endings")


def test_a_question_that_is_none_names_those_there_are(planted):
    """What was meant may be among them."""
    with pytest.raises(QuestionError, match="no such question; expected one of endings, close_wait"):
        ask(planted[0], "ending")


def test_points_that_are_not_done_are_counted(planted, tmp_path):
    """A point without complete tables is left out, and how many are is known."""
    shutil.copytree(planted[0], tmp_path / "out")
    path = next((tmp_path / "out").glob("points/*/manifest.json"))
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "shown": None, "underway": found["shown"]}))

    with Tables(str(tmp_path / "out")) as tables:
        assert (POINTS - 1, 1) == (tables.points, tables.waiting)
        assert POINTS - 1 == tables.ask("points").total


def test_hostile_names_are_values(planted, tmp_path):
    """A point whose name is SQL is a value like any other."""
    folder = tmp_path / "in" / "x'); DROP TABLE flows; --"
    made(tmp_path / "plain", 1, 1)
    folder.mkdir(parents=True)
    shutil.copy2(next((tmp_path / "plain").rglob("*.pcap")), folder / "a.pcap")
    running.run([str(tmp_path / "in")], str(tmp_path / "out"), workers=0, points="{host}/*.pcap")

    assert [folder.name] == [row["capture_point"] for row in ask(str(tmp_path / "out"), "points")]
