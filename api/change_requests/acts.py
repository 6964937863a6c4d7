"""What the routes of change requests do: collect, review, second look, update the record, tell both contact points.

A record is changed in one transaction with its journal; what is opened and sealed for it is opened and sealed before.
All of it blocks.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlmodel import Session

from api.bodies import known_token
from api.change_requests.bodies import ChangeDecisionBody, ChangeRequestBody
from api.deps import ApiDeps
from api.four_eyes import by, refuse_maker
from api.identity.principal import Principal
from compliance.audit.deeds import Deed, canonical_json, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.customer_layout import STORED_COLUMNS, Customer, open_customers, seal_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.domain.customers.change_request import (
    CHANGEABLE,
    RequestState,
    contacts_changed,
    needs_second,
)
from models.domain.customers.faults import Severity, severity_of
from models.domain.customers.message_words import MessageKind
from models.domain.customers.showing import CustomerState
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.domain.transfers.images import image_of
from models.domain.transfers.notice_ids import customer_message_id
from models.errors import Conflict, FieldFault, FormInvalid, NotFound, ShownChanged, WrongState
from models.operations import change_requests
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers.follow_ups import queue_message
from models.queries.transfers.departures import refuse_moved_out
from models.tables.change_requests import ChangeRequest
from models.tables.customers import CustomerRecord

_ACTIVE = "active"


def request_for(deps: ApiDeps, principal: Principal, request_id: str) -> ChangeRequest:
    """The request that a path names.

    Raises:
        NotFound: there is none of the caller's institution.
    """
    with deps.database.read() as session:
        found = session.get(ChangeRequest, known_token(request_id))
    if found is None or found.tenant != principal.tenant:
        raise NotFound
    return found


def create(deps: ApiDeps, principal: Principal, body: ChangeRequestBody, *, slot: KeySlot, fingerprint: str) -> str:
    """Collect a request; returns its id. The whole record is checked as it would be.

    Raises:
        NotFound: there is no such record of the caller's institution.
        WrongState: the record may only be stored, or was erased.
        CustomerMovedOut: the relation went to another company.
        FormInvalid: a field that nobody changes, a value that breaks a rule of the record, or nothing that changes.
        KeyTaken: another request under this key was first.
    """
    now, request_id = deps.clock(), new_token("chr")
    record = _record(deps, principal, body.customer_id)
    present = values_of(deps.vault, record)
    changed = _checked(present, body.values, now)
    digest = _digest(deps.vault, record.tenant, request_id, changed)
    shown = {
        "request": request_id,
        "customer": record.id,
        "version": record.version,
        "channel": body.channel.value,
        "fields": sorted(changed),
        "values": digest,
    }
    address = CellAddress(record.tenant, "change_requests", "values_cell", request_id, record.subject_id)
    request = ChangeRequest(
        id=request_id,
        tenant=record.tenant,
        branch=principal.branch,
        record_id=record.id,
        subject_id=record.subject_id,
        channel=body.channel.value,
        fields=sorted(changed),
        values_cell=deps.vault.seal(address, json.dumps(changed, ensure_ascii=False)),
        shown_hash=shown_hash(shown),
        state=RequestState.REVIEW.value,
        record_version=record.version,
        created_by=principal.staff_id,
        created_at=now,
    )
    deed = _deed(request, "change-request.created", principal, now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=request_id, now=now, status=HTTPStatus.CREATED
        )
        change_requests.add_request(unit.session, request, by=by(principal))
    return request_id


def decide(
    deps: ApiDeps,
    principal: Principal,
    request_id: str,
    body: ChangeDecisionBody,
    *,
    second: bool,
    slot: KeySlot,
    fingerprint: str,
) -> str:
    """Review a request, or look at it as the second person; returns its id.

    With the last look that it needs the record is changed. If it changed meanwhile, the request ends as a conflict.

    Raises:
        NotFound: there is none of the caller's institution.
        FormInvalid: a refusal without a reason, or a reason without one.
        ShownChanged: something else was looked at.
        FourEyesViolation: the second person entered or reviewed it.
        WrongState: it was decided before.
        KeyTaken: another request under this key was first.
    """
    request, now = request_for(deps, principal, request_id), deps.clock()
    if body.approve is (body.reason_code is not None):
        code = "unknown-field" if body.approve else "missing"
        raise FormInvalid(faults=(FieldFault(pointer="/reasonCode", code=code),))
    if body.shown_hash != request.shown_hash:
        raise ShownChanged
    if second:
        refuse_maker(deps, principal, shown_hash=request.shown_hash)
    waiting = RequestState.CONFIRM if second else RequestState.REVIEW
    if request.state != waiting:
        raise WrongState(params={"state": request.state})
    to = RequestState.REFUSED if not body.approve else RequestState.APPLIED
    if body.approve and not second and needs_second(request.fields):
        to = RequestState.CONFIRM
    applying = _prepared(deps, request, now) if to is RequestState.APPLIED else None
    if to is RequestState.APPLIED and applying is None:
        to = RequestState.CONFLICT
    verb = change_requests.confirm if second else change_requests.review
    reason = body.reason_code if body.approve is False else "record-changed" if to is RequestState.CONFLICT else None
    deed = _deed(request, f"change-request.{'confirmed' if second else 'reviewed'}", principal, now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=request_id, now=now, status=HTTPStatus.CREATED
        )
        verb(unit.session, request, to=to, by=by(principal), reason=reason, now=now)
        if applying is not None:
            applying.apply(unit.session, request, now)
        deed.facts |= {"to": to.value, "reason": reason}
    return request_id


def note_read(deps: ApiDeps, principal: Principal, request: ChangeRequest) -> None:
    """Record that what changes is shown, masked, before it is.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    with unit_of_work(deps.database, _deed(request, "change-request.shown", principal, deps.clock())):
        pass  # the event is all there is to write


# The update -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class _Applying:
    """What changes, sealed; and who is told."""

    columns: Mapping[str, Any]
    before_image: bytes
    after_image: bytes
    language: str
    points: tuple[tuple[str, str, str, bytes], ...]  # key, channel, message id, sealed contact point
    channel: str

    def apply(self, session: Session, request: ChangeRequest, now: datetime) -> None:
        """Change the record, keep the journal, queue the messages.

        Raises:
            Conflict: the record changed since it was read; the whole decision is undone and can be sent again.
        """
        done = change_requests.apply_values(
            session,
            request,
            columns=self.columns,
            before_image=self.before_image,
            after_image=self.after_image,
            now=now,
        )
        if not done:
            raise Conflict
        params = {"fields": ",".join(request.fields), "on": shanghai_date(now).isoformat()}
        common: dict[str, Any] = {
            "tenant": request.tenant,
            "subject_id": request.subject_id,
            "record_id": request.record_id,
            "kind": MessageKind.RECORD_CHANGED.value,
            "language": self.language,
            "params": params,
            "now": now,
        }
        for key, channel, _, cell in self.points:
            queue_message(session, business_key=key, channel=channel, to_cell=cell, **common)
        if not self.points:
            queue_message(session, business_key=f"{request.id}/changed", channel=self.channel, **common)


def _prepared(deps: ApiDeps, request: ChangeRequest, now: datetime) -> _Applying | None:
    """The record as it is to be; None: it is not as it was when the request was made."""
    with deps.database.read() as session:
        record = session.get(CustomerRecord, request.record_id)
    if record is None or record.version != request.record_version or record.erased_at is not None:
        return None
    before, changed = values_of(deps.vault, record), changes_of(deps.vault, request)
    after = _merged(before, changed)
    _checked(before, changed, now)
    customer = Customer(id=record.id, subject=record.subject_id, values=after)
    (stored,) = seal_customers(deps.vault, tenant=record.tenant, customers=[customer])
    old = {name: getattr(record, name) for name in STORED_COLUMNS}
    points = []
    for field in contacts_changed(changed):
        channel = "sms" if field == "mobile" else "email"
        for side, value in (("old", before.get(field)), ("new", after.get(field))):
            if value is None:
                continue
            key = f"{request.id}/changed/{field}/{side}"
            message = customer_message_id(request.tenant, key)
            address = CellAddress(request.tenant, "customer_messages", "to_cell", message, request.subject_id)
            points.append((key, channel, message, deps.vault.seal(address, value)))
    return _Applying(
        columns=stored.columns,
        before_image=image_of(old | {"version": record.version}),
        after_image=image_of({**stored.columns, "version": record.version + 1}),
        language=after.get("language") or "zh-CN",
        points=tuple(points),
        channel="sms" if after.get("mobile") else "email",
    )


def values_of(vault: Vault, record: CustomerRecord) -> dict[str, str]:
    """The record in clear; in memory only."""
    (opened,) = open_customers(vault, tenant=record.tenant, stored=[stored_of(record)])
    return {name: value for name, value in opened.values.items() if value is not None}


def changes_of(vault: Vault, request: ChangeRequest) -> dict[str, str | None]:
    """What is to change, in clear; in memory only. Empty once the request is over."""
    if request.values_cell is None:
        return {}
    address = CellAddress(request.tenant, "change_requests", "values_cell", request.id, request.subject_id)
    found: dict[str, str | None] = json.loads(vault.open_text(address, request.values_cell))
    return found


def _record(deps: ApiDeps, principal: Principal, customer_id: str) -> CustomerRecord:
    with deps.database.read() as session:
        record = session.get(CustomerRecord, known_token(customer_id))
    if record is None or record.tenant != principal.tenant:
        raise NotFound
    if record.erased_at is None and record.state == CustomerState.MOVED_OUT:
        with deps.database.read() as session:
            refuse_moved_out(session, record)
    if record.erased_at is not None or record.state != _ACTIVE:
        raise WrongState(params={"state": "erased" if record.erased_at is not None else record.state})
    return record


def _checked(present: Mapping[str, str], wanted: Mapping[str, str | None], now: datetime) -> dict[str, str | None]:
    """What really changes, in its one spelling.

    Raises:
        FormInvalid: see `create`.
    """
    unknown = tuple(FieldFault(pointer=f"/values/{name}", code="unknown-field") for name in wanted.keys() - CHANGEABLE)
    if unknown:
        raise FormInvalid(faults=unknown)
    spelled = check_record(_merged(present, wanted), today=shanghai_date(now))
    wrong = sorted(
        {
            fault.field
            for fault in spelled.faults
            if fault.field in wanted and severity_of(fault.rule) is not Severity.WARN
        }
    )
    if wrong:
        raise FormInvalid(faults=tuple(FieldFault(pointer=f"/values/{name}", code="invalid") for name in wrong))
    changed = {name: spelled.values.get(name) for name in wanted if spelled.values.get(name) != present.get(name)}
    if not changed:
        raise FormInvalid(faults=(FieldFault(pointer="/values", code="invalid"),))
    return changed


def _merged(present: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**present, **changed}.items() if value is not None}


def _digest(vault: Vault, tenant: str, request_id: str, changed: Mapping[str, str | None]) -> str:
    """Keyed, so that a hash that people pass on tells nothing of the values."""
    key = vault.purpose_key(tenant, Purpose.FINGERPRINT)
    message = canonical_json({"request": request_id, "values": dict(changed)})
    return hmac.new(key, b"casework.change-request\x00" + message.encode(), hashlib.sha256).hexdigest()


def _deed(request: ChangeRequest, action: str, principal: Principal, now: datetime) -> Deed:
    return Deed(
        tenant=request.tenant,
        action=action,
        target=request.id,
        actor=principal.staff_id,
        at=now,
        facts={"customer": request.record_id, "fields": list(request.fields), "shownHash": request.shown_hash},
    )
