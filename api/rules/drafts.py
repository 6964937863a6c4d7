"""Drafting and deciding what holds about the rules: two persons, one transaction and one event each."""

from datetime import date, timedelta
from typing import Any, Final

from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.authenticate import fresh_login
from api.identity.principal import Principal
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from models.domain.rule_desk import DraftKind
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import FourEyesViolation, NotFound
from models.operations.agreements import business_date
from models.operations.idempotency import KeySlot, open_key
from models.operations.rule_desk import NewDraft, add_draft, check_begins, decide_draft
from models.queries.rule_desk import DraftRecord, draft_record

_ACTIONS: Final = {DraftKind.POLICY: "rule-policy", DraftKind.CALENDAR: "calendar"}


def earliest_day(deps: ApiDeps, tenant: str) -> date:
    """The first day on which nothing was judged yet: after today, and after the open business date."""
    with deps.database.read() as session:
        opened = business_date(session, tenant=tenant)
    today = shanghai_date(deps.clock())
    return max(today, opened or today) + timedelta(days=1)


def add(
    deps: ApiDeps,
    principal: Principal,
    *,
    kind: DraftKind,
    version: str,
    valid_from: date,
    definition: dict[str, Any],
    slot: KeySlot,
    fingerprint: str,
) -> str:
    """Write a draft; blocking. Returns its id.

    Raises:
        KeyTaken: another request under the same key was first.
        FormInvalid: a policy would begin on a day that has begun.
        Conflict: the version has been used before.
    """
    if kind is DraftKind.POLICY:
        check_begins(valid_from, earliest=earliest_day(deps, principal.tenant))
    now = deps.clock()
    new = NewDraft(
        id=new_token("rdr"),
        tenant=principal.tenant,
        kind=kind,
        version=version,
        valid_from=valid_from,
        definition=definition,
    )
    shown = shown_hash(new.shown())
    facts = {"draft": new.id, "version": version, "validFrom": valid_from.isoformat(), "shown": shown}
    deed = Deed(
        tenant=principal.tenant,
        action=f"{_ACTIONS[kind]}.drafted",
        target=new.id,
        actor=principal.staff_id,
        at=now,
        # A policy is small and says who may be asked for how much; a calendar's days stand in its row, by hash.
        facts=facts | ({"policy": definition} if kind is DraftKind.POLICY else {}),
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=fingerprint, resource_id=new.id, status=201, now=now)
        add_draft(
            unit.session, new, shown_hash=shown, by_staff=principal.staff_id, by_person=principal.person_id, now=now
        )
    return new.id


def decide(
    deps: ApiDeps, principal: Principal, draft_id: str, *, kind: DraftKind, shown: str, approve: bool
) -> DraftRecord:
    """The second person's word; blocking. An approval needs a fresh log-in.

    Raises:
        FreshLoginRequired: the log-in is too old.
        NotFound, ShownChanged, WrongState, FourEyesViolation, FormInvalid, Conflict: as `decide_draft`.
    """
    now = deps.clock()
    if approve:
        fresh_login(principal, now=now)
    found = record(deps, principal, draft_id, kind=kind)
    if found.row.drafted_by_person == principal.person_id:  # the first of the layers: the API asks before it tries
        raise FourEyesViolation
    deed = Deed(
        tenant=principal.tenant,
        action=f"{_ACTIONS[kind]}.{'approved' if approve else 'rejected'}",
        target=draft_id,
        actor=principal.staff_id,
        at=now,
        facts={"version": found.row.version, "validFrom": found.row.valid_from.isoformat(), "shown": shown},
    )
    earliest = earliest_day(deps, principal.tenant)
    with unit_of_work(deps.database, deed) as unit:
        decide_draft(
            unit.session,
            tenant=principal.tenant,
            draft_id=draft_id,
            shown_hash=shown,
            approve=approve,
            by_staff=principal.staff_id,
            by_person=principal.person_id,
            earliest=earliest,
            now=now,
        )
    return record(deps, principal, draft_id, kind=kind)


def record(deps: ApiDeps, principal: Principal, draft_id: str, *, kind: DraftKind) -> DraftRecord:
    """One draft; blocking.

    Raises:
        NotFound: there is none of this kind.
    """
    with deps.database.read() as session:
        found = draft_record(session, principal.tenant, known_token(draft_id), kind=kind)
    if found is None:
        raise NotFound
    return found
