"""Events in words: who did what, when and why, one sentence each; and the account of a case out of them.

A sentence is made of codes, amounts, dates and identifiers of an event, and of our own words. It names staff by role
and id: nobody's name is in the log. Roles are those of today.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from models.domain.shanghai import SHANGHAI
from models.queries.audit import EventFilter, Recorded, roles_of, search_events, targets_of_case
from models.tables.audit import AuditEvent
from models.texts.render import catalogue, has_text, placeholders, render

_PAGE: Final = 500
_STAFF: Final = "stf_"
_LINK: Final = "lnk_"
_DUTY: Final = "duty:"
_PLAIN: Final = frozenset({"workflow", "operator", "daily-run"})
_REASONS: Final = ("reason", "reveal-reason", "refusal", "notice-reason", "reversal-reason", "exception-reason")
_CODE: Final = re.compile(r"\A[a-z0-9][a-z0-9.-]{0,59}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One event of an account.

    Attributes:
        index: its place in the log, by which it can be proved; None while it waits for the sealer.
        what: the deed alone.
        text: the whole sentence, with time, person and reason.
    """

    event_id: str
    index: int | None
    at: datetime
    actor: str
    roles: tuple[str, ...]
    action: str
    target: str
    what: str
    text: str
    facts: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "eventId": self.event_id,
            "index": self.index,
            "at": self.at.isoformat(),
            "actor": self.actor,
            "roles": list(self.roles),
            "action": self.action,
            "target": self.target,
            "text": self.text,
            "facts": self.facts,
        }


def account_of_case(session: Session, case_token: str, *, tenant: str, locale: str) -> Iterator[Line]:
    """Every event of a case, its customer, agreement, notices and links, oldest first."""
    about = EventFilter(tenant=tenant, targets=targets_of_case(session, case_token))
    after = None
    while True:
        page = search_events(session, about, after=after, limit=_PAGE, newest_first=False)
        yield from told(session, page, locale=locale)
        if len(page) < _PAGE:
            return
        after = (page[-1].event.at, page[-1].event.id)


def told(session: Session, page: Sequence[Recorded], *, locale: str) -> list[Line]:
    """A page of events in words."""
    roles = roles_of(session, (row.event.actor for row in page if row.event.actor.startswith(_STAFF)))
    return [_line(row.event, row.index, roles.get(row.event.actor, []), locale) for row in page]


def _line(event: AuditEvent, index: int | None, roles: Sequence[str], locale: str) -> Line:
    facts: dict[str, Any] = json.loads(event.body)["facts"]
    what = _what(event.action, facts, locale)
    sentence = render(
        "account.line",
        {
            "at": event.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            "who": _who(event.actor, roles, locale),
            "what": what,
            "why": _why(event.action, facts, locale),
        },
        locale,
    )
    return Line(
        event_id=event.id,
        index=index,
        at=event.at,
        actor=event.actor,
        roles=tuple(roles),
        action=event.action,
        target=event.target,
        what=what,
        text=sentence,
        facts=facts,
    )


def _what(action: str, facts: Mapping[str, Any], locale: str) -> str:
    key = f"event.{action}"
    if not has_text(key, locale):
        return render("account.unknown-deed", {"action": action}, locale)
    return render(key, _plain(facts), locale)


def _plain(facts: Mapping[str, Any]) -> dict[str, str | int]:
    """What a text can show; a list of codes as its text knows it."""
    shown: dict[str, str | int] = {}
    for name, value in facts.items():
        if isinstance(value, (str, int)):
            shown[name] = value
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            shown[name] = ",".join(value)
    return shown


def _who(actor: str, roles: Sequence[str], locale: str) -> str:
    if actor.startswith(_STAFF):
        if not roles:
            return render("account.who.staff-without-role", {"id": actor}, locale)
        return render("account.who.staff", {"roles": ",".join(roles), "id": actor}, locale)
    if actor.startswith(_LINK):
        return render("account.who.link", {"id": actor}, locale)
    if actor.startswith(_DUTY):
        return render("account.who.duty", {"name": actor.removeprefix(_DUTY)}, locale)
    return render(f"account.who.{actor}", {}, locale) if actor in _PLAIN else actor


def _why(action: str, facts: Mapping[str, Any], locale: str) -> str:
    """The reason code in words, unless the text of the event tells it already."""
    code = facts.get("reason") or facts.get("reasonCode")
    if not isinstance(code, str) or _CODE.match(code) is None:
        return ""
    template = catalogue("en").get(f"event.{action}", "")
    if any(name.partition(":")[0] in ("reason", "reasonCode") for name in placeholders(template)):
        return ""
    key = next((f"{prefix}.{code}" for prefix in _REASONS if has_text(f"{prefix}.{code}", locale)), None)
    words = render(key, _plain(facts), locale) if key is not None else code
    return render("account.why", {"reason": words}, locale)
