from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.window import Window


class Pieces:
    """A source that gives octets in pieces of the given lengths."""

    damage = "it broke"

    def __init__(self, octets, lengths):
        self.octets = octets
        self.lengths = list(lengths)

    def readinto(self, view):
        """Give the next piece."""
        piece = self.octets[: min(len(view), self.lengths.pop(0) if self.lengths else len(self.octets))]
        view[: len(piece)] = piece
        self.octets = self.octets[len(piece) :]
        return len(piece)


@given(
    octets=st.binary(min_size=1, max_size=200),
    lengths=st.lists(st.integers(1, 20)),
    steps=st.lists(st.integers(0, 30)),
    chunk=st.integers(1, 50),
)
def test_octets_pass_in_order(octets, lengths, steps, chunk):
    """Whatever the pieces and the steps of framing, every octet passes once, under its position."""
    window = Window(Pieces(octets, lengths), chunk=chunk)
    passed = b""
    more = True
    while more:
        step = min(steps.pop() if steps else 1, window.rest)
        assert window.position == len(passed)
        passed += bytes(window.view[window.start : window.start + step])
        window.start += step
        more = window.more() or window.rest > 0

    assert octets == passed
    assert window.ended


def test_head_reads_as_needed_and_keeps():
    """Looking at the first octets reads them piece by piece and passes nothing."""
    window = Window(Pieces(b"abcdef", [1, 1, 1]))

    assert b"abc" == window.head(3)
    assert b"abcdef" == window.head(100)
    assert (0, 6, "it broke") == (window.position, window.rest, window.damage)


def test_the_end_is_the_end():
    """After the end nothing more is asked of the source."""
    source = Pieces(b"ab", [])
    window = Window(source)

    assert [True, False] == [window.more(), window.more()]
    source.octets = b"more"
    assert not window.more()


def test_both_forms_show_the_same_octets():
    """Plain and compiled loops look at one buffer."""
    window = Window(Pieces(b"abc", []))
    window.more()

    assert [ord("b")] * 2 == [int(window.octets(jit=jit)["octet"][1]) for jit in (False, True)]
