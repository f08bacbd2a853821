"""What is told of heartbeats of programs: whose they are, how often, since when, what became of them, how it is known.

It must not know a finding, or what follows from heartbeats.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.protocols import beat_of, is_poll, noun_of
from analyzer.judge.record import other
from analyzer.tolerances import (
    BEAT_AT_ONCE_NS,
    BEAT_LENGTH_PLAY,
    BEAT_PROMPT_NS,
    BEAT_SEALED_OCTETS,
    BEAT_TINY_OCTETS,
    ONE_RHYTHM,
    ONE_RHYTHM_NS,
)
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, lines

if TYPE_CHECKING:
    from analyzer.judge.probe import Heartbeats
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

ROOM_PARTS: Final = 8
"""Hardly more than came is no more than such a part of it."""
MOST: Final = 4
"""So many trains have lines of their own."""
OVER: Final = 3
"""Heartbeats that stayed away for so many of their longest distances are over."""
BY_FORM: Final = "by their form"
PERHAPS_POLL: Final = "by their form; may be a poll"
PERHAPS_DATA: Final = "heartbeats, or data at even times: only their form is known"


def may_be_data(train: Heartbeats, others: tuple[Heartbeats, ...]) -> bool:
    """Say whether messages may be data: known by form alone, not answered, with room for it, and nobody beats alike."""
    if train.protocol is not None or train.answered is not None or train.payload_len <= BEAT_TINY_OCTETS:
        return False
    return not any(
        each.sender != train.sender
        and abs(each.payload_len - train.payload_len) <= BEAT_LENGTH_PLAY
        and 8 * abs(each.period_ns - train.period_ns) <= train.period_ns
        for each in others
    )


def what_of(t: Teller, train: Heartbeats) -> tuple[str, str]:
    """Return what one message of a train is called, and what of, or how that is known."""
    if may_be_data(train, t.record.heartbeats):
        return "message", PERHAPS_DATA
    if train.protocol is None:
        may_ask = train.answered is not None and train.payload_len > BEAT_SEALED_OCTETS
        return "heartbeat", PERHAPS_POLL if may_ask else BY_FORM
    return noun_of(train.protocol), beat_of(train.protocol)


def awaited_of(train: Heartbeats) -> int:
    """Return 1 if the last heartbeat can have no answer yet, else 0."""
    return train.sent - (train.answered or 0) - train.missed if train.missed is not None else 0


def lapses_of(train: Heartbeats) -> int:
    """Return how many got no answer though a later one did."""
    return (train.missed or 0) - max((train.unanswered or 0) - awaited_of(train), 0)


def room_of(train: Heartbeats) -> int | None:
    """Return for how many heartbeats the time from the first to the last has room, None if for hardly more than came.

    A timer that other data restarts sends fewer; and what leaves with other data in one segment is not seen.
    """
    room = 1 + round((train.last_ns - train.first_ns) / train.period_ns) if train.period_ns > 0 else 0
    return room if room > train.sent + max(1, train.sent // ROOM_PARTS) else None


def room_text(room: int) -> str:
    """Return why there are fewer heartbeats than there was time for."""
    return (
        f"From the first to the last there was time for {room}: where other data passed the others were not sent, or"
        " passed with it and are not counted."
    )


def paces_of(t: Teller, train: Heartbeats) -> tuple[Heartbeats, ...]:
    """Return the trains of one end's timer, whose period was changed meanwhile, in order: this one and those like it.

    What it sends alike by another timer at the same time is none of them.
    """
    like = [
        each
        for each in t.record.heartbeats
        if (each.sender, each.protocol) == (train.sender, train.protocol)
        and (each.answered is None) == (train.answered is None)
        and abs(each.payload_len - train.payload_len) <= BEAT_LENGTH_PLAY
    ]
    like.sort(key=lambda each: each.first_frame)
    if any(each.last_frame > behind.first_frame for each, behind in pairwise(like)):
        return (train,)
    return tuple(like)


def _often(paces: tuple[Heartbeats, ...]) -> str:
    """Return how often heartbeats came, in the order of the periods that they had."""
    return ", then ".join(f"one every {duration(each.period_ns)}" for each in paces)


def _said_most(t: Teller, side: Side) -> Heartbeats | None:
    trains = [train for train in t.record.heartbeats if train.sender == side]
    return max(trains, key=lambda train: (train.answered is not None, train.sent), default=None)


def clause(t: Teller) -> str | None:
    """Return the heartbeats of a flow in a part of a sentence, of each end its train that says most; None if none."""
    both = [(side, train) for side in SIDES if (train := _said_most(t, side)) is not None]
    if not both:
        return None
    told = {what_of(t, train) for _, train in both}
    if len(both) == len(SIDES) and len(told) == 1 and all(train.answered is None for _, train in both):
        ((noun, what),) = told
        each = " and ".join(
            f"{t.the(side)}'s {_often(paces_of(t, train)).replace('one every', 'every')}{_none_since(t, train)}"
            for side, train in both
        )
        return f"{noun}s of both ends ({what}), {each}"
    return ", ".join(_in_short(t, train) for _, train in both)


def _in_short(t: Teller, train: Heartbeats) -> str:
    noun, what = what_of(t, train)
    paces = paces_of(t, train)
    return f"{t.the(train.sender)}'s {noun}s ({what}), {_often(paces)}{_answered(*paces)}{_none_since(t, train)}"


def _none_since(t: Teller, train: Heartbeats) -> str:
    """Return for how long none came at the end, where that is three distances or more and its sender sent no data."""
    over = over_for(t, train)
    if over is None:
        return ""
    return f", none in the {duration(over[0])} before" if over[1] else f", none in the last {duration(over[0])}"


def over_for(t: Teller, train: Heartbeats) -> tuple[int, int | None] | None:
    """Return for how long no heartbeat came behind the last one, and the frame of the FIN or RST that ended that.

    None where that is less than three distances, or its sender sent something else behind it, or the capture was not
    awake, or its time went back.
    """
    last = max(paces_of(t, train), key=_last_frame)
    facts, record = t.facts(train.sender), t.record
    if record.backwards or (facts.last_data_ns or 0) > last.last_ns:
        return None
    if not record.is_awake(last.last_frame, record.last_frame):
        return None
    ends = [(fin.ts_ns, fin.frame) for fin in record.fins]
    ends += [(reset.ts_ns, reset.frame) for reset in (record.ending_reset,) if reset is not None]
    until_ns, frame = min(ends, default=(record.end_ns, None))
    silent_ns = until_ns - last.last_ns
    return (silent_ns, frame) if silent_ns > OVER * last.period_high_ns else None


def _last_frame(train: Heartbeats) -> int:
    return train.last_frame


def _answered(*trains: Heartbeats) -> str:
    if any(train.answered is None for train in trains):
        return ""
    sent, answered = sum(train.sent for train in trains), sum(train.answered or 0 for train in trains)
    settled = sent - sum(map(awaited_of, trains))
    if answered == settled:
        return f", all {settled} answered" if settled == sent else f", {settled} answered, the last just sent"
    return f", {answered} of {settled} answered"


def beat_line(t: Teller, train: Heartbeats) -> Line:
    """Return a train in one line of a timeline, at its first heartbeat."""
    noun, what = what_of(t, train)
    often = f"one every {duration(train.period_ns)}"
    text = f"{t.name(train.sender)} sends {count(train.sent, noun)} ({what}), {often}{_answered(train)}"
    return Line(text, (train.first_frame, train.last_frame), train.first_ns - t.start_ns)


def beat_lines(t: Teller, left_out: frozenset[int] = frozenset()) -> list[Line]:
    """Return what the trains of a flow are and what became of them, but of those whose last frames are ``left_out``."""
    trains = [train for train in t.record.heartbeats if train.last_frame not in left_out]
    trains.sort(key=lambda train: (train.answered is None, -train.sent, train.first_frame))
    found = [line for train in trains[:MOST] for line in _lines_of(t, train)]
    rest = trains[MOST:]
    if rest:
        text = f"{count(len(rest), 'more train')} of heartbeats {'was' if len(rest) == 1 else 'were'} found."
        found.append(Line(text, tuple(train.first_frame for train in rest)))
    return found


def _lines_of(t: Teller, train: Heartbeats) -> list[Line]:
    noun, what = what_of(t, train)
    uneven = train.period_high_ns - train.period_low_ns > train.period_ns * ONE_RHYTHM + ONE_RHYTHM_NS
    low, high = duration(train.period_low_ns), duration(train.period_high_ns)
    often = f"one every {duration(train.period_ns)}{f' ({low} to {high} apart)' if uneven else ''}{_before(t, train)}"
    text = (
        f"{t.start(train.sender)}'s program sent {count(train.sent, noun)} of {count(train.payload_len, 'byte')}"
        f" ({what}), {often}, from frame {train.first_frame:,} to frame {train.last_frame:,}"
    )
    text += _reaction(t, train)
    return lines(
        Line(f"{text}.", (train.first_frame, train.last_frame)),
        _room(train),
        _slowest(train),
        _perhaps_own(t, train),
        _perhaps_answers(t, train),
        _lapses(t, train, noun),
        _at_end(t, train, noun),
        _over(t, train, noun),
    )


def _before(t: Teller, train: Heartbeats) -> str:
    """Return how often the same end sent such heartbeats before it changed the period, if it did."""
    paces = paces_of(t, train)
    at = paces.index(train)
    return f" (every {duration(paces[at - 1].period_ns)} before)" if at > 0 else ""


def _reaction(t: Teller, train: Heartbeats) -> str:
    """Return what the other program did with heartbeats that are answered."""
    if train.answered is None:
        return ""
    who = f"{t.the(other(train.sender))}'s program"
    if train.answered == train.sent:
        return f"; {who} answered {'it' if train.sent == 1 else 'all'}"
    return f"; {who} answered {train.answered or 'none'}"


def _room(train: Heartbeats) -> Line | None:
    """Return that there was time for more heartbeats, if there was."""
    room = room_of(train)
    return None if room is None else Line(room_text(room), (train.first_frame, train.last_frame))


def _slowest(train: Heartbeats) -> Line | None:
    """Return how long the longest answer took."""
    if train.slowest_ns is None:
        return None
    to = f" (to frame {train.slow_frame:,})" if train.slow_frame else ""
    frames = (train.slow_frame,) if train.slow_frame else (train.first_frame, train.last_frame)
    return Line(f"The longest answer took {duration(train.slowest_ns)}{to}.", frames)


def _perhaps_own(t: Teller, train: Heartbeats) -> Line | None:
    """Return that answers may be no answers: known by form alone, as long as what they answer, and at once."""
    alike = train.answer_len == train.payload_len
    if train.protocol is not None or train.slowest_ns is None or train.slowest_ns >= BEAT_AT_ONCE_NS or not alike:
        return None
    return Line(
        f"As long as they are and as soon as they come, the answers may be heartbeats of {t.the(other(train.sender))}'s"
        " own, by the same clock: their form alone cannot tell.",
        (train.first_frame, train.last_frame),
    )


def _perhaps_answers(t: Teller, train: Heartbeats) -> Line | None:
    """Return that these may be answers, where only their form is known and the other end was never captured."""
    if train.protocol is not None or not t.record.is_unseen(other(train.sender)):
        return None
    text = (
        f"They may be answers to heartbeats of {t.the(other(train.sender))}, none of whose packets were captured: their"
        " form alone cannot tell."
    )
    return Line(text, (train.first_frame, train.last_frame))


def _lapses(t: Teller, train: Heartbeats, noun: str) -> Line | None:
    """Return how many got no answer though later ones did, and which."""
    lapses = lapses_of(train)
    if lapses <= 0:
        return None
    first, last = train.lapse_frame, train.lapse_last_frame
    where = ""
    if first and last:
        where = f": frame {first:,}" if lapses == 1 else f": frames {first:,} {'and' if lapses == 2 else 'to'} {last:,}"
    seen = ", or it was not captured" if t.facts(other(train.sender)).missed else ""
    return Line(
        f"{lapses:,} of these {noun}s got no answer{seen}, though a later one did{where}.",
        tuple(sorted({first, last})) if first and last else (train.first_frame, train.last_frame),
    )


def _at_end(t: Teller, train: Heartbeats, noun: str) -> Line | None:
    """Return how many at the end got no answer, and what the other kernel did with them."""
    if not train.unanswered or train.silent_frame is None:
        return None
    frames = tuple(sorted({train.silent_frame, train.last_frame}))
    if train.unanswered == awaited_of(train):
        return Line(f"The last {noun} came too late for an answer to be in this capture.", frames)
    last = f"The last {noun} (frame {train.silent_frame:,})"
    if train.unanswered > 1:
        last = f"The last {train.unanswered:,} {noun}s, from frame {train.silent_frame:,} on,"
    acked = ""
    if train.acked:
        which = "it" if train.unanswered == 1 else "them"
        if train.acked < train.unanswered:
            which = f"{train.acked:,} of them"
        acked = f", though {t.the(other(train.sender))}'s kernel acknowledged {which}"
    return Line(f"{last} got no answer{acked}.", frames)


def _over(t: Teller, train: Heartbeats, noun: str) -> Line | None:
    """Return for how long none came before an end closed or reset the connection, if that is long."""
    over = over_for(t, train)
    if over is None or over[1] is None or train is not max(paces_of(t, train), key=_last_frame):
        return None
    text = f"Then no such {noun} came for {duration(over[0])}, until the connection was closed or reset."
    return Line(text, (train.last_frame, over[1]))


def over_lines(t: Teller) -> list[Line]:
    """Return what to find out of programs whose heartbeats ceased long before the end."""
    found = []
    for train in t.record.heartbeats:
        over = over_for(t, train)
        if over is None or train is not max(paces_of(t, train), key=_last_frame):
            continue
        noun, _ = what_of(t, train)
        text = (
            f"{t.start(train.sender)}: if its {noun}s were to go on, find out why its program sent none in the"
            f" {'last ' if over[1] is None else ''}{duration(over[0])}{' before the end' if over[1] else ''}."
        )
        found.append(Line(text, tuple(frame for frame in (train.last_frame, over[1]) if frame)))
    return found


def late_lines(t: Teller) -> list[Line]:
    """Return what to find out of programs that left heartbeats without an answer for a while, or answered late."""
    found = []
    for train in t.record.heartbeats:
        lapses, slowest_ns = lapses_of(train), train.slowest_ns or 0
        if train.answered is None or is_poll(train.protocol) or (lapses <= 0 and slowest_ns < BEAT_PROMPT_NS):
            continue
        did = [f"left {count(lapses, 'heartbeat')} without an answer"] if lapses > 0 else []
        did += [f"took {duration(slowest_ns)} to answer"] if slowest_ns >= BEAT_PROMPT_NS else []
        text = (
            f"{t.start(other(train.sender))}: find out what kept its program when it {' and '.join(did)}. Who waits for"
            " less than that gives up on it then."
        )
        frames = (train.lapse_frame, train.lapse_last_frame, train.slow_frame)
        found.append(Line(text, tuple(sorted({frame for frame in frames if frame})) or (train.first_frame,)))
    return found
