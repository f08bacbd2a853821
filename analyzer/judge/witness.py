"""Witnesses: what outside a flow's own segments bears on its end, each with its frames, from a scene.

It must not hold a sentence, or decide on a cause.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from analyzer.judge.judged import Witness
from analyzer.judge.nearness import errors_come_from
from analyzer.judge.record import other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.judge.events import IcmpError
    from analyzer.judge.scene import Scene

Alike = tuple[str, str, int, int, int, str, str]
"""What equal ICMP errors have in common."""
_PASSES: Final = {True: "yes", False: "no", None: "perhaps"}
MOST_FRAMES = 16
"""This many frames of a row of equal errors are named."""
MOST_SENDERS: Final = 16
"""This many rows of equal ICMP errors are told one by one: anybody may send them, in any name."""
TRUSTED: Final = ("probe", "data", "reset", "segment")
"""What errors quote, what nobody off the path can know first."""


def witnesses(scene: Scene) -> tuple[Witness, ...]:
    """Return the witnesses of a flow, in order of time; none of a flow that raises no question."""
    found = [*_icmp(scene), *_capture(scene)]
    beside = scene.record.beside
    if beside is not None:
        for kind, names in _NOTED.items():
            if not names or any(map(beside.__getitem__, names)):
                found += kind(scene)
    return tuple(sorted(found, key=lambda witness: witness.ts_ns))


def _icmp(scene: Scene) -> Iterator[Witness]:
    """ICMP errors: who sent them, of which type and code, quoting what."""

    def alike(error: IcmpError) -> Alike:
        own = (error.quotes, error.source, error.version, error.type, error.code)
        return (*own, error.fits or "", error.router or "")

    def rank(row: tuple[Alike, list[IcmpError]]) -> tuple[int, int]:
        fits = row[1][0].fits
        return (TRUSTED.index(fits) if fits in TRUSTED else len(TRUSTED), row[1][0].frame)

    rows = [
        (key, sorted(group, key=lambda error: error.frame))
        for key, group in groupby(sorted(scene.record.icmp_errors, key=alike), alike)
    ]
    rows.sort(key=rank)
    if left := [error for _, errors in rows[MOST_SENDERS:] for error in errors]:
        first = sorted(left, key=lambda error: error.frame)[:MOST_FRAMES]
        counts: dict[str, int | str] = {"count": len(left), "senders": len({error.source for error in left})}
        yield Witness("icmp", "path", tuple(error.frame for error in first), first[0].ts_ns, "more", counts)
    for key, errors in rows[:MOST_SENDERS]:
        quotes, sender, version, kind, code, fits, router = key
        frames = tuple(error.frame for error in errors)
        data: dict[str, int | str] = {
            "sender": sender,
            "version": version,
            "type": kind,
            "code": code,
            "count": len(errors),
            "to": quotes,
            "quotes": fits,
        }
        if router:
            data["router"] = router
        if named := [error.mtu for error in errors if error.mtu is not None]:
            data["mtu"] = min(named)
        if sender == scene.record.endpoint(other(errors[0].quotes)).address:
            data["whence"] = errors_come_from(scene.record, other(errors[0].quotes), errors).value
        yield Witness("icmp", "path", frames[:MOST_FRAMES], errors[0].ts_ns, "error", data)


def _link(scene: Scene) -> Iterator[Witness]:
    """What ARP and neighbour discovery show of the host, and of the next hop."""
    kind = "arp" if ":" not in scene.record.endpoint(scene.quiet).address else "ndp"
    quiet = scene.quiet
    for prefix, about in (("", quiet), ("hop_", "path")):
        whom = scene.record.endpoint(quiet).address if not prefix else scene.hop or ""
        asked = scene.beside(f"{prefix}asked")
        if asked:
            frames = (scene.beside(f"{prefix}asked_frame"), scene.beside(f"{prefix}asked_last_frame"))
            lasted = scene.beside(f"{prefix}asked_last_ns") - scene.beside(f"{prefix}asked_ns")
            data: dict[str, int | str] = {"address": whom, "count": asked, "lasted_ns": lasted, "of": quiet}
            yield Witness(
                kind, about, tuple(sorted(set(frames))), scene.beside(f"{prefix}asked_ns"), "unanswered", data
            )
        if scene.beside(f"{prefix}said_frame"):
            frame, ts_ns = scene.beside(f"{prefix}said_frame"), scene.beside(f"{prefix}said_ns")
            moved = about == quiet and not scene.is_of_its_host(ts_ns)
            if not (moved and scene.is_claimed_twice):
                yield Witness(kind, about, (frame,), ts_ns, "elsewhere" if moved else "answered", {"address": whom})
    if scene.is_claimed_twice:
        names = ("both_before_frame", "both_frame", "both_last_frame")
        shown = tuple(sorted({scene.beside(name) for name in names}))
        data = {
            "address": scene.record.endpoint(quiet).address,
            "mac": mac_text(scene.beside("both_mac")),
            "other_mac": mac_text(scene.beside("both_other")),
            "lasted_ns": scene.beside("both_last_ns") - scene.beside("both_ns"),
        }
        yield Witness(kind, quiet, shown, scene.beside("both_ns"), "both", data)
    elif scene.beside("moved_frame"):
        data = {
            "address": scene.record.endpoint(quiet).address,
            "from_mac": mac_text(scene.beside("moved_from")),
            "to_mac": mac_text(scene.beside("moved_to")),
            "unasked": scene.beside("moved_unasked"),
        }
        if scene.beside("moved_seen"):
            data["seen"] = 1
        yield Witness(kind, quiet, (scene.beside("moved_frame"),), scene.beside("moved_ns"), "moved", data)
    elif scene.beside("announced_frame"):
        data = {"address": scene.record.endpoint(quiet).address}
        yield Witness(kind, quiet, (scene.beside("announced_frame"),), scene.beside("announced_ns"), "announced", data)
    if scene.asker_is_claimed:
        shown = tuple(sorted({scene.beside("asker_frame"), scene.beside("asker_last_frame")}))
        data = {
            "address": scene.record.endpoint(scene.asker).address,
            "mac": mac_text(scene.beside("asker_other")),
            "own_mac": mac_text(scene.beside("asker_mac")),
            "lasted_ns": scene.beside("asker_last_ns") - scene.beside("asker_ns"),
        }
        yield Witness(kind, scene.asker, shown, scene.beside("asker_ns"), "claimed", data)


def _signs(scene: Scene) -> Iterator[Witness]:
    """When the host was heard beside the flow, or that it was not."""
    address = scene.record.endpoint(scene.quiet).address
    if scene.record.a.address == scene.record.b.address:
        return  # one host talks to itself: whatever is heard of the address may be the asker's own
    if scene.was_heard_before and not scene.is_heard_by_others_only and scene.is_of_its_host(scene.beside("last_ns")):
        data: dict[str, int | str] = {"address": address, "asked_ns": scene.asked_ns}
        data["whole"] = 1 if scene.is_unheard and not scene.resets_in_its_name else 0
        frames = tuple(sorted({scene.beside("last_frame"), *scene.asked_frames[:1]}))
        yield Witness("life_sign", scene.quiet, frames, scene.beside("last_ns"), "heard_before", data)
    elif scene.beside("last_frame") and not scene.is_heard_by_others_only:
        own = scene.is_of_its_host(scene.beside("sign_ns"))
        # behind a sign of its own host, one of the machine that has its address since says nothing of it
        last = "sign" if own and not scene.is_of_its_host(scene.beside("last_ns")) else "last"
        frames = tuple(sorted({scene.beside("sign_frame"), scene.beside(f"{last}_frame")}))
        data = {
            "address": address,
            "after_ns": scene.beside("sign_ns") - scene.since_ns,
            "last_after_ns": scene.beside(f"{last}_ns") - scene.since_ns,
            "what": scene.beside("last_what"),
            "longest_ns": scene.beside("longest_ns"),
        }
        if scene.beside("longest_ns") >= scene.in_question_until_ns - scene.due_ns:
            data["second_ns"] = scene.beside("second_ns")
        says = "heard" if scene.sign_frames else "throughout" if scene.is_heard_throughout else "heard_later"
        says = says if own else "unclear" if scene.is_claimed_twice else "elsewhere"
        again = says == "heard_later" and scene.beside("sign_ns") <= scene.in_question_until_ns
        frames = (scene.beside(f"{last}_frame"),) if again else frames
        ts_ns = scene.beside(f"{last}_ns" if again else "sign_ns")
        yield Witness("life_sign", scene.quiet, frames, ts_ns, says, data)
    elif scene.is_unheard and scene.is_silent:
        slack_ns = scene.beside("slack_ns")
        data = {"address": address, "passed_ns": scene.until_ns - scene.since_ns - slack_ns, "slack_ns": slack_ns}
        data["link_unseen"] = 0 if scene.beside("place") else 1
        data["filtered"] = 0 if scene.could_capture("others") else 1
        resets = tuple(reset.frame for reset in scene.resets_in_its_name)[:MOST_FRAMES]
        says = "only_resets" if resets else "unheard"
        frames = resets or scene.asked_frames[-1:]
        yield Witness("life_sign", scene.quiet, frames, scene.since_ns, says, data)
    if scene.beside("station_frame") and not scene.beside("last_frame") and scene.is_silent:
        frames = tuple(sorted({scene.beside("station_frame"), scene.beside("station_last_frame")}))
        data = {
            "address": address,
            "mac": mac_text(scene.beside("mac")),
            "after_ns": scene.beside("station_ns") - scene.since_ns,
            "own": 1 if scene.is_on_link else 0,
            "before": 1 if scene.station_was_heard_before else 0,
            "hop": scene.hop or "",
        }
        yield Witness("life_sign", "path", frames, scene.beside("station_ns"), "station", data)


def _leases(scene: Scene) -> Iterator[Witness]:
    """What DHCP says of the host's address since it was last heard in the flow."""
    quiet, address = scene.quiet, scene.record.endpoint(scene.quiet).address
    if scene.beside("back_frame"):
        frame, ts_ns = scene.beside("back_frame"), scene.beside("back_ns")
        yield Witness("dhcp", quiet, (frame,), ts_ns, "given_back", {"address": address})
    if scene.beside("leased_frame"):
        data: dict[str, int | str] = {
            "address": address,
            "from_mac": mac_text(scene.beside("leased_from")),
            "to_mac": mac_text(scene.beside("leased_to")),
        }
        yield Witness("dhcp", quiet, (scene.beside("leased_frame"),), scene.beside("leased_ns"), "other_station", data)
    if scene.beside("got_frame"):
        data = {"address": address, "new": scene.address_got or ""}
        yield Witness("dhcp", quiet, (scene.beside("got_frame"),), scene.beside("got_ns"), "other_address", data)
    if scene.beside("anew_frame"):
        frame, ts_ns = scene.beside("anew_frame"), scene.beside("anew_ns")
        yield Witness("dhcp", quiet, (frame,), ts_ns, "asked_anew", {"address": address})


def _bridges(scene: Scene) -> Iterator[Witness]:
    """What the bridges and ports of the captured link announced while the flow was silent."""
    if not scene.is_silent:
        return
    if 0 < scene.beside("changed_ns") <= scene.until_ns:
        frames = tuple(sorted({scene.beside("changed_frame"), scene.beside("changed_last_frame")}))
        lasted = scene.beside("changed_last_ns") - scene.beside("changed_ns")
        data: dict[str, int | str] = {"lasted_ns": lasted}
        yield Witness("stp", "path", frames, scene.beside("changed_ns"), "changed", data)
    if 0 < scene.beside("shut_ns") <= scene.until_ns:
        own = scene.beside("shut_own")
        about = scene.quiet if own else "path"
        data = {"address": scene.record.endpoint(scene.quiet).address, "own": own}
        yield Witness("lldp", about, (scene.beside("shut_frame"),), scene.beside("shut_ns"), "shut", data)
    if 0 < scene.beside("port_ns") <= scene.until_ns:
        yield Witness("lldp", "path", (scene.beside("port_frame"),), scene.beside("port_ns"), "other_port", {})


def _same_hop(scene: Scene) -> Iterator[Witness]:
    """Whether the RST that ended the flow looks like the other packets of the host in whose name it came."""
    reset = scene.reset
    if reset is None or reset.own_ttl is None or reset.ttl < 0:
        return
    low, high = reset.own_ttl
    data: dict[str, int | str] = {
        "address": scene.record.endpoint(scene.quiet).address,
        "ttl": reset.ttl,
        "low": low,
        "high": high,
        "mac": mac_text(scene.beside("mac")) if scene.beside("mac") >= 0 else "",
        "on_link": 1 if scene.is_on_link else 0,
        "strange": " ".join(reset.strange),
    }
    yield Witness("same_hop", scene.quiet, (reset.frame,), reset.ts_ns, "unlike" if reset.strange else "alike", data)


def _fates(scene: Scene) -> Iterator[Witness]:
    """Other flows of the asker that fell silent in the same moment."""
    if not scene.is_silent:
        return
    for name, says in (("peer", "same_host"), ("other", "other_hosts")):
        if scene.beside(f"shared_{name}"):
            data: dict[str, int | str] = {
                "flows": scene.beside(f"shared_{name}"),
                "flow": scene.beside(f"shared_{name}_flow"),
                "address": scene.record.endpoint(scene.quiet).address,
            }
            yield Witness("fate_shared", scene.quiet, scene.asked_frames[:1], scene.since_ns, says, data)


def _service(scene: Scene) -> Iterator[Witness]:
    """What the address and port answered to later SYNs, and whether its clock started anew."""
    where = str(scene.record.endpoint(scene.quiet))
    if scene.beside("refused_frame"):
        frames = tuple(sorted({scene.beside("refused_frame"), scene.beside("refused_last_frame")}))
        yield Witness("reconnect", scene.quiet, frames, scene.beside("refused_ns"), "refused", {"service": where})
    if scene.beside("accepted_frame"):
        frame, ts_ns = scene.beside("accepted_frame"), scene.beside("accepted_ns")
        yield Witness("reconnect", scene.quiet, (frame,), ts_ns, "accepted", {"service": where})
    if scene.beside("clock_frame") and scene.beside("clock_agreed"):
        data: dict[str, int | str] = {"agreed": scene.beside("clock_agreed")}
        frame, ts_ns = scene.beside("clock_frame"), scene.beside("clock_ns")
        yield Witness("clock_restarted", scene.quiet, (frame,), ts_ns, "restarted", data)
    if scene.beside("kept_frame") and scene.reset is not None:
        data = {"address": scene.record.endpoint(scene.quiet).address}
        yield Witness(
            "reconnect", scene.quiet, (scene.beside("kept_frame"),), scene.beside("kept_ns"), "same_clock", data
        )


def _changes(scene: Scene) -> Iterator[Witness]:
    """The host's packets came another way."""
    if scene.beside("ttl_frame") and scene.beside("ttl_turns") == 1 and scene.beside("ttl_before") > 0:
        data: dict[str, int | str] = {"before": scene.beside("ttl_before"), "after": scene.beside("ttl")}
        yield Witness("path", scene.quiet, (scene.beside("ttl_frame"),), scene.beside("ttl_ns"), "ttl", data)
    if scene.beside("mac_frame") and scene.beside("mac_turns") == 1 and not scene.beside("moved_frame"):
        data = {"before": mac_text(scene.beside("mac_before"))}
        yield Witness("path", scene.quiet, (scene.beside("mac_frame"),), scene.beside("mac_ns"), "station", data)


def _capture(scene: Scene) -> Iterator[Witness]:
    """What the capture evidently lacks since the silence began."""
    if scene.record.lost and scene.is_silent:
        yield Witness(
            "capture", "capture", scene.asked_frames[-1:], scene.since_ns, "dropped", {"packets": scene.record.lost}
        )
    if scene.is_silent and scene.record.filters:
        lets: dict[str, int | str] = {kind: _PASSES[scene.could_capture(kind)] for kind in ("arp", "icmp", "others")}
        if set(lets.values()) != {"yes"}:
            data = {**lets, "filter": " | ".join(scene.record.filters)}
            yield Witness("capture", "capture", scene.asked_frames[-1:], scene.since_ns, "filtered", data)
    for hole in scene.holes if scene.raises_question else ():
        frames = tuple(sorted({hole.from_frame, hole.to_frame}))
        kind, says = ("link", "down") if hole.why == "down" else ("capture", "hole")
        yield Witness(kind, "capture", frames, hole.from_ns, says, {"why": hole.why})


def mac_text(mac: int) -> str:
    """Return an Ethernet address as text, empty if it is unknown."""
    return ":".join(f"{mac:012x}"[at : at + 2] for at in range(0, 12, 2)) if mac >= 0 else ""


_NOTED: Final[dict[Callable[[Scene], Iterator[Witness]], tuple[str, ...]]] = {
    _link: (
        "asked",
        "hop_asked",
        "said_frame",
        "hop_said_frame",
        "moved_frame",
        "announced_frame",
        "both_frame",
        "asker_frame",
    ),
    _signs: ("last_frame", "known", "station_frame"),
    _fates: ("shared_peer", "shared_other"),
    _service: ("refused_frame", "accepted_frame", "clock_frame", "kept_frame"),
    _changes: ("ttl_frame", "mac_frame"),
    _same_hop: (),
    _leases: ("back_frame", "leased_frame", "got_frame", "anew_frame"),
    _bridges: ("changed_ns", "shut_ns", "port_ns"),
}
"""What makes witnesses of what was noted beside a flow, in order, and numbers of which one is not 0 then, if any."""
