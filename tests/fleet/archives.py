"""Archives for the tests of a fleet, and what ``report`` makes of them."""

import shutil
from pathlib import Path

import analyzer
from analyzer.fleet.columns import TABLES
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS
from captures.recipes import archive

OF_REPORT = {"flows": FLOW_COLUMNS, "probes": PROBE_COLUMNS, "findings": FINDING_COLUMNS}


def made(folder, points, files, **more):
    """Make an archive in a folder; return what is planted where."""
    return archive.make(Path(folder), points, files, **{"connections": 3, **more})


def files_of(folder):
    """Return the captures of an archive in order."""
    return sorted(Path(folder).rglob("*.pcap"))


def arrive(source, target, how_many, points=None):
    """Let the first files of each point, or of the first points, be in another folder."""
    for point in sorted(path for path in Path(source).iterdir() if path.is_dir())[:points]:
        (Path(target) / point.name).mkdir(parents=True, exist_ok=True)
        for path in files_of(point)[:how_many]:
            if not (Path(target) / point.name / path.name).exists():
                shutil.copy2(path, Path(target) / point.name / path.name)


def of_report(point, tmp_path):
    """Return the tables that ``report --parquet`` writes of a point, as sorted rows."""
    from pyarrow import parquet

    paths = analyzer.analyze(str(point), jit=False).to_parquet(tmp_path / f"report-{point.name}")
    return {path.stem: in_order(parquet.read_table(path).to_pylist()) for path in paths}


def of_fleet(out, name=""):
    """Return the tables of a fleet, of one point or of all, as sorted rows."""
    import json

    from pyarrow import parquet

    found = {table: [] for table in TABLES}
    for path in sorted(Path(out).glob("points/*/manifest.json")):
        manifest = json.loads(path.read_text())
        if manifest["shown"] is None or (name and not manifest["point"].startswith(name)):
            continue
        for table, file in (*manifest["shown"]["parts"], *manifest["shown"]["live"]):
            found[table] += parquet.ParquetFile(path.parent / file).read().to_pylist()
    return {table: in_order(rows) for table, rows in found.items()}


def as_reported(tables):
    """Return the part of a fleet's tables that ``report`` has too."""
    return {
        table: in_order([{name: row[name] for name in columns} for row in tables[table]])
        for table, columns in OF_REPORT.items()
    }


def in_order(rows):
    """Return rows in an order of their own."""
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def left_over(out):
    """Return the files below the points of a fleet's tables that no manifest names."""
    import json

    found = []
    for path in Path(out).glob("points/*/manifest.json"):
        manifest = json.loads(path.read_text())
        named = {"manifest.json"}
        for key in ("shown", "underway"):
            if manifest[key]:
                named |= {name for _, name in (*manifest[key]["parts"], *manifest[key]["live"])}
                named |= {manifest[key]["state"][0]} if manifest[key]["state"] else set()
        found += [each for each in path.parent.iterdir() if each.name not in named]
    return found
