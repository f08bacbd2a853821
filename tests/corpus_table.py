"""Prints how often each class of differences between Wireshark and us occurs in the lab and in the corpus.

    python tests/corpus_table.py [FOLDER ...]

Folders of captures are read in place; without arguments they are ../shared/lab and ../shared/corpus/files beside the
checkout. Needs tshark. The table is the one in docs/wireshark.md; unclassified differences, and frames on which the
judgements beside the corpus say otherwise, are listed below it.
"""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JUDGEMENTS = ROOT.parent / "shared" / "corpus" / "labels.jsonl"
SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz", ".zst")
AT_ONCE = 2


@dataclass
class Survey:
    """What was compared in a folder."""

    captures: int = 0
    unread: dict = field(default_factory=dict)
    """Captures that we do not read, and why."""
    differences: list = field(default_factory=list)
    """Each with the name of its capture."""
    beside: Counter = field(default_factory=Counter)
    """By our word and Wireshark's labels."""
    words: dict = field(default_factory=dict)
    """By capture and frame, the frames that differ: our word."""

    @property
    def counts(self):
        """How many differences are of each class."""
        return Counter(each.row.name for _, each in self.differences if each.row)

    @property
    def unclassified(self):
        """The differences that nobody has thought of."""
        return [(name, each) for name, each in self.differences if each.row is None]


def captures_in(folder):
    """Return the captures of a folder."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES))


def survey(paths):
    """Compare captures."""
    from analyzer.comparing import compare
    from analyzer.errors import AnalyzerError

    def one(path):
        try:
            return path, compare(path), ""
        except AnalyzerError as error:
            return path, None, str(error)

    found = Survey()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, comparison, reason in pool.map(one, paths):
            if comparison is None:
                found.unread[path.name] = reason
                continue
            found.captures += 1
            found.differences += [(path.name, each) for each in comparison.differences]
            found.beside.update(comparison.beside)
    return found


def judged():
    """Return what the judgements beside the corpus say, by capture and frame."""
    lines = JUDGEMENTS.read_text(encoding="utf-8").splitlines()
    return {(entry["file"], entry["frame"]): entry for entry in map(json.loads, lines)}


def contradictions(found):
    """Yield frames of the corpus on which a judgement and we say different things."""
    different = {(name, each.frame): each for name, each in found.differences}
    for key, entry in judged().items():
        if key[0] in found.unread:
            continue
        each = different.get(key)
        marked = entry["tshark"] == "keep_alive"
        ours = each.ours if each else ("keepalive_probe" if marked else None)
        said_probe = ours == "keepalive_probe"
        if (entry["verdict"] == "KA") != said_probe:
            yield key, entry, each


def table(surveys):
    """Yield the lines of the table, in Markdown."""
    from analyzer.wireshark.classes import CLASSES

    names = list(surveys)
    yield f"| class | right | {' | '.join(names)} |"
    yield f"|---|---|{'---|' * len(names)}"
    for row in CLASSES:
        counts = [surveys[name].counts[row.name] for name in names]
        if any(counts):
            yield f"| `{row.name}` | {row.right.value} | {' | '.join(str(count or '') for count in counts)} |"
    yield f"| unclassified | | {' | '.join(str(len(surveys[name].unclassified)) for name in names)} |"


def main(folders):
    """Print the table, and what is wrong."""
    from tests.beside import corpus, lab

    chosen = {Path(folder).name: captures_in(Path(folder)) for folder in folders} or {"lab": lab(), "corpus": corpus()}
    surveys = {name: survey(paths) for name, paths in chosen.items()}
    for line in table(surveys):
        print(line)
    for name, found in surveys.items():
        frames = sum(found.beside.values())
        print(f"\n{name}: {found.captures} captures, {frames} frames compared, {len(found.differences)} different")
        for capture, reason in found.unread.items():
            print(f"  not read: {capture}: {reason}")
        for capture, each in found.unclassified:
            print(f"  UNCLASSIFIED: {capture} frame {each.frame}: {each.ours} / {each.wireshark}")
    if "corpus" in surveys and JUDGEMENTS.exists():
        wrong = list(contradictions(surveys["corpus"]))
        print(f"  judgements beside the corpus: {len(judged())}, contradicted {len(wrong)}")
        for (capture, frame), entry, each in wrong:
            print(f"  {capture} frame {frame}: {entry['verdict']} ({entry['why']}), we say {each and each.ours}")
    return any(found.unclassified for found in surveys.values())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
