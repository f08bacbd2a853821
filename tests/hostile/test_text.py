"""Text that nobody pastes by accident: nothing breaks, nothing reaches the terminal, and one sentence says why."""

import random
import re

import pytest

from analyzer.cli import main

LINE = "20:00:0{}.000000 IP 10.0.0.1.4000 > 10.0.0.2.80: Flags [P.], seq {}:{}, ack 1, win 64, length 1\n"
GOOD = "".join(LINE.format(at, at + 1, at + 2) for at in range(5))
OCTETS = "\t0x0000:  4500 0028"
LONG = 1_000_000
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
ANY = random.Random(5)
NOISE = bytes(ANY.randrange(256) for _ in range(100_000))
UNREADABLE = 2

TEXTS = {
    "nothing": "",
    "an end of line": "\n",
    "blanks": " " * LONG,
    "escapes": f"{GOOD}\x1b[31mred\x1b]0;t\x07\x1b[2J\x9b5n\x00\x01\n{GOOD}",
    "escapes for names": GOOD.replace("10.0.0.1", "\x1b[31m\u202eevil\u2066"),
    "a script for a name": GOOD.replace("10.0.0.1", "$(id)<script>alert(1)</script>"),
    "one line of letters": "a" * LONG,
    "one line of blanks": " " * LONG + GOOD,
    "one line of digits": "1" * LONG + "\n" + GOOD,
    "one line of octets": "0000  " + "aa " * (LONG // 3) + "\n" + GOOD,
    "one line of quotation": "> " * (LONG // 2) + "\n" + GOOD,
    "one line of options": GOOD + GOOD[:-1] + ", options [" + "nop," * (LONG // 4) + "]\n" + GOOD,
    "one line of entities": "&gt;" * (LONG // 4) + "\n" + GOOD,
    "one line of tags": "<span>" * (LONG // 6) + "\n" + GOOD,
    "one line of tags that do not end": "<span " * (LONG // 6) + "\n" + GOOD,
    "one line of brackets": GOOD + "20:00:09.0 IP (" + "(" * LONG + "\n" + GOOD,
    "one line of times": "x 10:10:10 " * (LONG // 11),
    "one line of what a list has": "x 1 0.5 a " * (LONG // 10),
    "one line of packets": GOOD.replace("\n", "<br>") * 1000,
    "headers that do not end": "".join(f"20:00:0{at % 10}.0 IP (tos 0x0{', a' * 1000}\n" for at in range(100)),
    "packets that are cut": "".join(GOOD[: ANY.randrange(90)] + "\n" for _ in range(500)),
    "words that are wrong": GOOD.replace("seq", "sqe") + GOOD.replace(">", "<") + GOOD.replace("IP", "IPX"),
    "numbers that are none": GOOD.replace("length 1", f"length {'9' * 30}") + GOOD.replace("win 64", f"win {'9' * 10}"),
    "addresses that are none": GOOD.replace("10.0.0.1", "999.1.1.1") + GOOD.replace("4000", "99999"),
    "digits that are none": GOOD.replace("4000", "4\u00b2\u00b3").replace("seq 1", "seq \u0661"),
    "times that are none": GOOD.replace("20:00:0", "9999-12-31 23:59:5") + GOOD.replace("20:00", "9999-99-99 99:99"),
    "seconds beyond all": "".join(f"99999999999.{at}{GOOD.splitlines()[at][15:]}\n" for at in range(5)),
    "flags without end": GOOD.replace("[P.]", f"[{'S' * 5000}]"),
    "octets that lie": "20:00:00.0 IP x\n\t0x0000:  45ff ffff 0000 0000 ffff\n\t0x0010:  ffff\n" * 5,
    "octets far away": f"{GOOD}\t0xffffffff:  4500\n\t0x0010:  4500 0028\n",
    "names in ARP": f"20:00:01.0 ARP, Request who-has {'a' * 5000} tell {'b' * 5000}, length 28\n" * 100,
    "words in ICMP": GOOD + f"20:00:09.0 IP 9.9.9.9 > 10.0.0.1: ICMP {'host ' * 800} unreachable, length 28\n" * 100,
    "a prefix that is a pattern": "".join(f"{at}(a+)+$[:{line}\n" for at, line in enumerate(GOOD.splitlines())),
    "all forms": f"{GOOD}  1 0.5 10.0.0.1 -> 10.0.0.2 TCP 54 9 -> 80 [ACK] Seq=1 Ack=1 Win=1 Len=0\n{OCTETS}\n{GOOD}",
    "octets of no text": NOISE,
    "text, then none": GOOD.encode() + NOISE,
    "zeros within": GOOD.encode() + bytes(LONG) + GOOD.encode(),
    "wide text that is cut": GOOD.encode("utf-16")[:-1],
    "wide text that is none": b"\xff\xfe" + NOISE,
    "halves of characters": GOOD.encode() + b"\xed\xa0\x80\xff\xfe\n" + GOOD.encode(),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["explain", "report"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_text(text, verb, tmp_path, capsys, monkeypatch):
    """Every text is read as far as it goes, or refused with one sentence; nothing a terminal obeys comes out."""
    monkeypatch.setenv("KEEPALIVE_JIT", "0")
    path = tmp_path / "dump.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    status = main([verb, str(path)])
    out, err = capsys.readouterr()

    assert status in {0, UNREADABLE}
    assert status == 0 or (out, err.count("\n")) == ("", 1)
    assert [] == RAW.findall(out + err)
    assert len(err) < 4000
