"""How people answer what a transfer job asks: corrections by the recipe, reviews by the truth, after a masked look."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from deploy.clock import wall_clock
from deploy.demo.office import Unexpected
from deploy.demo.transfers import calls
from deploy.demo.transfers.room import Room
from deploy.demo.transfers.statements import stated
from deploy.demo.transfers.truth import TrueRow
from models.domain.states import Outcome
from models.domain.transfers.conflicts import ConflictKind

_FORBIDDEN: Final = 403
Answer = Callable[[Room, dict[str, Any]], Awaitable[None]]


async def answer(room: Room, task: dict[str, Any]) -> None:
    """Answer one task.

    Raises:
        Unexpected: nobody planned for such a task, or the answer was refused.
    """
    kind = str(task["type"])
    if kind in _FORMS:
        await room.decide(task, dict(_FORMS[kind]))
        return
    hand = _HANDS.get(kind)
    if hand is None:
        raise Unexpected(f"a task nobody planned for: {kind}")
    async with room.gate:
        await hand(room, task)


async def _quarantine(room: Room, task: dict[str, Any]) -> None:
    """An officer looks at the row, masked, and writes what is right; key fields take a second person."""
    number = int(task["shown"]["number"])
    true = room.truth[number]
    officer, approver = room.acquirer.officer, room.acquirer.approver
    etag, content = await calls.row_as_shown(officer, room.job, number)
    room.note(content)
    if true.same_as_row is not None or not true.fixes:
        await room.decide(task, {"outcome": "discard", "reasonCode": "duplicate-line"})
        room.seen["discarded"] += 1
        return
    row = await calls.correct(officer, room.job, number, true.fixes, etag=etag)
    room.seen["corrected"] += 1
    waiting = [each for each in row["corrections"] if each["state"] == "proposed"]
    if not waiting:
        return
    if room.seen["own-correction-tried"] < _TRIES:
        room.seen["own-correction-tried"] += 1
        status = await calls.confirm_correction(officer, room.job, number, waiting[-1], expect=(200, _FORBIDDEN))
        room.seen["own-correction-refused"] += status == _FORBIDDEN
    await calls.confirm_correction(approver, room.job, number, waiting[-1])
    room.seen["confirmed"] += 1


async def _review(room: Room, task: dict[str, Any]) -> None:
    """Somebody sees both records masked, with the weight of each field, and says whether they are one person."""
    shown = task["shown"]
    actor = room.acquirer.for_role(str(task["candidateRole"]))[0]
    room.note(await calls.pair_as_shown(actor, room.job, str(shown["pair"])))
    true = room.truth[int(shown["row"])]
    is_one = are_one(room, true, str(shown["other"]))
    room.seen["reviewed-same" if is_one else "reviewed-different"] += 1
    different = {"twin": "twins", "household": "household"}.get(true.relation, "not-proven")
    outcome = {"outcome": "same", "reasonCode": "documents-agree"}
    await room.decide(task, outcome if is_one else {"outcome": "different", "reasonCode": different})


async def _conflict(room: Room, task: dict[str, Any]) -> None:
    """Where both companies know somebody by other details, the acquirer's stand: it has them from its own customer."""
    kind = str(task["shown"]["kind"])
    room.seen[f"conflict-{kind}"] += 1
    await room.decide(task, dict(_CONFLICTS[kind]))


async def _gate(room: Room, task: dict[str, Any]) -> None:
    """A rule does not know something that no record tells: the lead states it, and the rules are asked again."""
    names = {name for rule in task["blocked"] for name in rule.get("missing", ())}
    today = wall_clock().date()
    unknown = sorted(name for name in names if stated(name, today=today) is None)
    if unknown:
        raise Unexpected(f"{task['shown'].get('gate')}: nobody knows {', '.join(unknown)}")
    for name in sorted(names):
        await calls.state(room.acquirer.lead, room.job, name, stated(name, today=today))
        room.seen["facts-stated"] += 1
    # What bars giving up bars nothing that is asked for here.
    refused = sorted(
        rule["rule"] for rule in task["blocked"] if not rule.get("missing") and rule["outcome"] != Outcome.GIVE_UP
    )
    if refused and room.seen[f"refused {refused}"] >= _TRIES:
        raise Unexpected(f"{task['shown'].get('gate')}: barred by {', '.join(refused)}")
    room.seen[f"refused {refused}"] += bool(refused)
    await room.decide(task, {"outcome": "retry"})


async def _follow_up(room: Room, task: dict[str, Any]) -> None:
    """What a customer asked for is seen to."""
    kind = str((task.get("shown") or {}).get("kind", ""))
    code = {"bounce": "contact-updated", "objection": "explained", "erasure": "erasure-opened"}.get(kind, "done")
    room.seen[f"follow-up-{kind}"] += 1
    await room.decide(task, {"outcome": "resolve", "reasonCode": code})


def are_one(room: Room, true: TrueRow, other: str) -> bool:
    """What the two papers on the desk would show; here the truth knows it. `other`: `row:<number>`, or a record."""
    if other.startswith("row:"):
        return room.truth[int(other.removeprefix("row:"))].person == true.person
    return bool(true.target_customer_no) and room.record_of.get(true.target_customer_no) == other


_TRIES: Final = 3
# A record that is put back although it was changed since takes two persons: the second one answers when asked again.
_CONFLICTS: Final[dict[str, dict[str, str]]] = {
    ConflictKind.KEY_FIELDS: {"outcome": "keep", "reasonCode": "target-newer"},
    ConflictKind.RECORD_CHANGED: {"outcome": "keep", "reasonCode": "target-newer"},
    ConflictKind.NUMBER_TAKEN: {"outcome": "hold", "reasonCode": "number-in-use"},
    ConflictKind.UNDO: {"outcome": "take", "reasonCode": "put-back"},
}
# Answered the same way each time.
_FORMS: Final[dict[str, dict[str, Any]]] = {
    "transfers.classification": {"outcome": "accept"},
    "transfers.plan-approval": {"outcome": "approve"},
    "transfers.go-no-go": {"outcome": "approve"},
    "transfers.wave-stopped": {"outcome": "run-on", "errorBudget": 5},
    "transfers.rollback": {"outcome": "confirm"},
    "transfers.close": {"outcome": "confirm"},
    "platform.incident": {"outcome": "retry"},
    "platform.incident-confirm": {"outcome": "confirm"},
}
_HANDS: Final[dict[str, Answer]] = {
    "transfers.gate": _gate,
    "transfers.quarantine": _quarantine,
    "transfers.match-review": _review,
    "transfers.conflict": _conflict,
    "transfers.follow-up": _follow_up,
}
