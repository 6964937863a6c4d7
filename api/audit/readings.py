"""What people are shown of other people is a deed: who, whose, which fields, masked or in clear, what for.

It is recorded before the answer leaves; what cannot be recorded is not shown. The values themselves are never in it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from api.deps import ApiDeps
from api.parties.views import MaskedSubjectAnswer
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.application import RevealField

# The members of an answer that are opened to be shown, as the texts of `reveal-field.*` name them.
_FIELDS: Final = {
    "name": "name",
    "id_number": "idNumber",
    "mobile": "mobile",
    "email": "email",
    "card_number": "cardNumber",
    "address": "address",
}


class Shown(StrEnum):
    """What a person was looked up for."""

    CASE_FILE = "case-file"
    CASE_MADE = "case-made"
    SUBJECT_FILE = "subject-file"
    SEARCH = "search"


def note_shown(
    deps: ApiDeps,
    people: Sequence[MaskedSubjectAnswer],
    *,
    tenant: str,
    actor: str,
    purpose: Shown,
    case: str | None = None,
) -> None:
    """Record that these people are shown, masked; one event each, in one transaction; blocking. No people, no event.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    _record(deps, _deeds(people, tenant=tenant, actor=actor, purpose=purpose, case=case, at=deps.clock()))


def note_search(
    deps: ApiDeps, people: Sequence[MaskedSubjectAnswer], *, tenant: str, actor: str, field: RevealField
) -> None:
    """Record that somebody looked people up by a number, also if nobody has it; blocking.

    To learn that a number is unknown here is to learn something.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    now = deps.clock()
    search = Deed(
        tenant=tenant,
        action="subject.searched",
        target="subjects",
        actor=actor,
        at=now,
        facts={"field": field.value, "found": len(people)},
    )
    shown = _deeds(people, tenant=tenant, actor=actor, purpose=Shown.SEARCH, case=None, at=now)
    _record(deps, [search, *shown])


def note_words_read(
    deps: ApiDeps, action: str, *, tenant: str, actor: str, target: str, count: int, **facts: Any
) -> None:
    """Record that sealed words are read; blocking. None that could be opened, no event.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    if count:
        facts = {**facts, "count": count}
        _record(deps, [Deed(tenant=tenant, action=action, target=target, actor=actor, at=deps.clock(), facts=facts)])


def _deeds(
    people: Sequence[MaskedSubjectAnswer], *, tenant: str, actor: str, purpose: Shown, case: str | None, at: datetime
) -> list[Deed]:
    return [
        Deed(
            tenant=tenant,
            action="subject.shown",
            target=person.id,
            actor=actor,
            at=at,
            facts={"form": "masked", "purpose": purpose.value, "fields": fields, "case": case, "count": len(fields)},
        )
        for person in people
        if (fields := _opened(person))
    ]


def _opened(person: MaskedSubjectAnswer) -> list[str]:
    return [name for member, name in _FIELDS.items() if getattr(person, member) is not None]


def _record(deps: ApiDeps, deeds: list[Deed]) -> None:
    if not deeds:
        return
    with unit_of_work(deps.database, deeds[0]) as unit:  # the events are all there is to write
        for deed in deeds[1:]:
            unit.also(deed)
