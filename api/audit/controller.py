"""The audit log for who reviews the house (审计、合规): events, proofs, checkpoints, and one case told from end to end.

Reading the log is itself an event: who looked, at what, through which filter.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from litestar import Controller, get
from litestar.params import FromPath, QueryParameter
from sqlmodel import Session

from api.audit.bodies import (
    AccountPage,
    AuditEventAnswer,
    AuditEventPage,
    CheckpointAnswer,
    CheckpointPage,
    ConsistencyAnswer,
    InclusionProofAnswer,
    ProvenEventAnswer,
)
from api.deps import ApiDeps, Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.installments.access import known_case_token
from api.moments import moment_of
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from compliance.audit.account import told
from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.deeds import Deed
from compliance.audit.proofs import newest_checkpoint, one_snapshot, prove_consistency, prove_inclusion
from compliance.audit.seal import seal_keys
from compliance.audit.unit import unit_of_work
from models.domain.roles import Permission
from models.errors import BadRequest, FieldFault, FormInvalid, NotFound
from models.queries import audit as queries
from models.queries.audit import COUNTED_TO, EventFilter
from models.queries.case_file import Position

_CODE: Final = re.compile(r"\A[a-z][A-Za-z0-9._:-]{0,63}\Z")
_EVENT_ID: Final = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_MAY_READ: Final = [requires(Permission.AUDIT_READ)]


class AuditController(Controller):
    """The audit log of the caller's institution; of every branch."""

    path = "/v1/audit"
    tags = ("Audit",)

    @get("/events", guards=_MAY_READ, sync_to_thread=True, operation_id="ListAuditEvents")
    def list_events(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        case: Annotated[str | None, QueryParameter(name="case", max_length=64)] = None,
        subject: Annotated[str | None, QueryParameter(name="subject", max_length=64)] = None,
        task: Annotated[str | None, QueryParameter(name="task", max_length=64)] = None,
        action: Annotated[str | None, QueryParameter(name="action", max_length=64)] = None,
        actor: Annotated[str | None, QueryParameter(name="actor", max_length=64)] = None,
        since: Annotated[str | None, QueryParameter(name="from", max_length=40)] = None,
        until: Annotated[str | None, QueryParameter(name="until", max_length=40)] = None,
    ) -> AuditEventPage:
        """Events, newest first: of a case, a person (all their cases), a task, an action, an actor, a time."""
        asked = {"case": case, "subject": subject, "task": task, "action": action, "actor": actor}
        given = {name: _code(name, value) for name, value in asked.items() if value is not None}
        times = {
            name: moment_of(name, value) for name, value in (("from", since), ("until", until)) if value is not None
        }
        start = _position(after, kind="audit")
        _note(deps, principal, "events", **given, **{name: at.isoformat() for name, at in times.items()})
        with deps.database.read() as session:
            wanted = EventFilter(
                tenant=principal.tenant,
                targets=_targets(session, principal.tenant, given),
                action=given.get("action"),
                actor=given.get("actor"),
                task=given.get("task"),
                since=times.get("from"),
                until=times.get("until"),
            )
            found = queries.search_events(session, wanted, after=start, limit=limit + 1)
            total = queries.count_events(session, wanted)
            lines = told(session, found[:limit], locale=locale)
        more = len(found) > limit
        return AuditEventPage(
            items=[AuditEventAnswer.of(line) for line in lines],
            total=total if total <= COUNTED_TO else None,
            counted_to=COUNTED_TO,
            end_cursor=_cursor("audit", lines[-1].at, lines[-1].event_id) if more else None,
        )

    @get("/events/{event_id:str}", guards=_MAY_READ, sync_to_thread=True, operation_id="GetAuditEvent")
    def get_event(self, event_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> ProvenEventAnswer:
        """One event, with the proof that it stands in the log."""
        if _EVENT_ID.match(event_id) is None:
            raise NotFound
        key = seal_keys(deps.vault).public_key
        with deps.database.read() as session:
            found = queries.recorded_event(session, event_id, tenant=principal.tenant)
        if found is None:
            raise NotFound
        _note(deps, principal, "event", event=event_id)
        with deps.database.read() as session:
            one_snapshot(session.connection())
            proof = prove_inclusion(session, event_id, public_key=key)
            line = told(session, [found], locale=locale)[0]
        return ProvenEventAnswer(
            event=AuditEventAnswer.of(line),
            body=found.event.body,
            proof=InclusionProofAnswer.of(proof) if proof is not None else None,
        )

    @get("/checkpoints", guards=_MAY_READ, sync_to_thread=True, operation_id="ListAuditCheckpoints")
    def list_checkpoints(
        self, deps: Deps, principal: Caller, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> CheckpointPage:
        """Signed checkpoints, the newest first: keep some where we cannot write."""
        start = decode_cursor(after, kind="checkpoints", types=(int,))
        _note(deps, principal, "checkpoints")
        with deps.database.read() as session:
            below = start[0] if start is not None else None
            found = queries.list_checkpoints(session, below=below if isinstance(below, int) else None, limit=limit + 1)
        page = found[:limit]
        return CheckpointPage(
            items=[CheckpointAnswer.of(row) for row in page],
            verifier_key=_verifier(seal_keys(deps.vault).public_key),
            end_cursor=encode_cursor("checkpoints", page[-1].size) if len(found) > limit else None,
        )

    @get("/consistency", guards=_MAY_READ, sync_to_thread=True, operation_id="ProveAuditConsistency")
    def consistency(
        self,
        deps: Deps,
        principal: Caller,
        old: Annotated[int, QueryParameter(name="old", ge=0)],
        new: Annotated[int, QueryParameter(name="new", ge=0)],
    ) -> ConsistencyAnswer:
        """The proof that the log of `new` events begins with that of `old`."""
        key = seal_keys(deps.vault).public_key
        _note(deps, principal, "consistency", old=old, new=new)
        with deps.database.read() as session:
            one_snapshot(session.connection())
            newest = newest_checkpoint(session, public_key=key)
            size = newest.checkpoint.size if newest is not None else 0
            if not old <= new <= size:
                raise FormInvalid(faults=(FieldFault(pointer="/old", code="audit-sizes", params={"max": size}),))
            return ConsistencyAnswer.of(prove_consistency(session, old, new, public_key=key))

    @get("/cases/{case_token:str}", guards=_MAY_READ, sync_to_thread=True, operation_id="GetCaseAccount")
    def account(
        self,
        *,
        case_token: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = 200,
        after: After = None,
    ) -> AccountPage:
        """One case from its first to its last event, a sentence each: who, when, what and why (案件全程记录)."""
        token, start = known_case_token(case_token), _position(after, kind="account")
        key = seal_keys(deps.vault).public_key
        with deps.database.read() as session:
            if queries.tenant_of(session, token) != principal.tenant:
                raise NotFound
        _note(deps, principal, "account", case=token)
        with deps.database.read() as session:
            one_snapshot(session.connection())
            about = EventFilter(tenant=principal.tenant, targets=queries.targets_of_case(session, token))
            found = queries.search_events(session, about, after=start, limit=limit + 1, newest_first=False)
            lines = told(session, found[:limit], locale=locale)
            signed = newest_checkpoint(session, public_key=key)
        return AccountPage(
            case_token=token,
            lines=[AuditEventAnswer.of(line) for line in lines],
            checkpoint=signed.note if signed is not None else None,
            verifier_key=_verifier(key),
            end_cursor=_cursor("account", lines[-1].at, lines[-1].event_id) if len(found) > limit else None,
        )


def _note(deps: ApiDeps, principal: Principal, view: str, **facts: Any) -> None:
    """Record that the log is read, before it is shown; blocking.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    deed = Deed(
        tenant=principal.tenant,
        action="audit.read",
        target="audit",
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"view": view, **facts},
    )
    with unit_of_work(deps.database, deed):
        pass  # the event is all there is to write


def _targets(session: Session, tenant: str, given: dict[str, str]) -> frozenset[str] | None:
    """What the events must be about, as far as the filter says; of several, what they have in common."""
    found: frozenset[str] | None = None
    for name, value in given.items():
        if name == "case":
            own = queries.tenant_of(session, value) == tenant
            targets = queries.targets_of_case(session, value) if own else frozenset[str]()
        elif name == "subject":
            targets = queries.targets_of_subject(session, value, tenant=tenant)
        elif name == "task":
            targets = queries.targets_of_task(session, value, tenant=tenant)
        else:
            continue
        found = targets if found is None else found & targets
    return found


def _code(name: str, value: str) -> str:
    if _CODE.match(value) is None:
        raise FormInvalid(faults=(FieldFault(pointer=f"/{name}", code="audit-code"),))
    return value


def _cursor(kind: str, at: datetime, event_id: str) -> str:
    return encode_cursor(kind, at.isoformat(), event_id)


def _position(after: str | None, *, kind: str) -> Position | None:
    values = decode_cursor(after, kind=kind, types=(str, str))
    if values is None:
        return None
    try:
        return datetime.fromisoformat(str(values[0])).astimezone(UTC), str(values[1])
    except (ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None


def _verifier(key: Ed25519PublicKey) -> str:
    return verifier_key(origin_of(key), key)
