"""What is done to a run at the edge: begun, given its file, held, cancelled; each is one audited deed. Blocking."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from sqlmodel import Session

from api.batches.bodies import NewRunBody
from api.batches.lookup import known_run
from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by
from api.identity.principal import Principal
from api.uploads import Upload
from compliance.audit.deeds import Deed, canonical_json
from compliance.audit.unit import unit_of_work
from compliance.vault.files import FileAddress, SealedFile
from compliance.vault.purposes import Purpose
from compliance.vault.shelf import Shelf
from models.domain.batches.kinds import KINDS, MemberSource, Origin
from models.domain.batches.settings import read_settings
from models.domain.batches.states import RunStage
from models.domain.ids import job_record
from models.domain.tokens import new_case_token
from models.errors import BatchFileKnown, FieldFault, FormInvalid, LayoutUnknown, NotFound, WrongState
from models.operations.batches import clients, runs
from models.operations.batches.beginning import NewRun, amend_criteria, begin_run
from models.operations.batches.importing import add_import, keep_layout
from models.operations.idempotency import KeySlot, find_key, open_key
from models.queries.batches.layouts import find_layout
from models.queries.batches.run_list import lacks_file
from models.tables.batch_imports import BatchImport
from models.tables.batch_runs import BatchRun
from models.tables.daily import BusinessDate

MOST_FILE_BYTES: Final = 256 << 20
_CONTROL: Final = ("controlCount", "controlMinor")


def create(deps: ApiDeps, principal: Principal, body: NewRunBody, *, slot: KeySlot, digest: str) -> str:
    """Begin a run; one of a file waits, paused, until its file has come. Returns its token.

    Raises:
        FormInvalid: criteria, settings or client break a rule; every fault is named.
        NotFound: no such client or account, or the caller may not order for this client.
        Conflict: the key stands for another wish.
    """
    now, token = deps.clock(), new_case_token(principal.tenant)
    on = body.business_date or today(deps, principal)
    source = body.source or KINDS[body.kind].sources[0]
    settings = _settings(body)
    # What people say about the run is sealed under a key of its own; keys come before rows.
    deps.vault.create_subject(tenant=principal.tenant, subject_id=job_record(token))
    new = NewRun(
        tenant=principal.tenant,
        branch=principal.branch,
        kind=body.kind,
        origin=Origin.STAFF,
        source=source,
        request_key=_request_key(slot),
        business_date=on,
        by=by(principal),
        criteria=body.criteria,
        settings=settings,
        client=body.client,
        funding_account=body.funding_account,
        rule_set=body.rule_set,
        token=token,
    )
    facts = {"kind": body.kind.value, "source": source.value, "businessDate": on.isoformat(), "client": body.client}
    with unit_of_work(deps.database, deed(principal, "batch.created", token, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=token, status=HTTPStatus.CREATED, now=now)
        _refuse_outsider(unit.session, principal, body.client, on=on)
        run, _ = begin_run(unit.session, new, now=now)
        if source is MemberSource.FILE:
            runs.want_pause(unit.session, run, paused=True, now=now)
    return token


def address_of(run: BatchRun, import_id: str) -> FileAddress:
    """Under what a run's file is sealed: by the run's own key, in the name of its import."""
    return FileAddress(run.tenant, job_record(run.token), import_id)


def seal_pieces(deps: ApiDeps, address: FileAddress, pieces: Iterator[bytes]) -> SealedFile:
    """Seal what streams in."""
    return Shelf(vault=deps.vault, root=deps.files_root).put(address, pieces)


def file_wanted(deps: ApiDeps, principal: Principal, token: str, *, slot: KeySlot) -> BatchRun:
    """The run, if it waits for its file, or if this request was answered before and is to be answered again.

    Raises:
        NotFound: no such run of the caller's institution.
        WrongState: its rows come from the book, it has a file, or it has ended.
    """
    with deps.database.read() as session:
        run = known_run(session, principal, token)
        if not lacks_file(session, run) and find_key(session, slot) is None:
            raise WrongState(detail=token, params={"state": run.stage})
    return run


def keep_file(
    deps: ApiDeps, principal: Principal, run: BatchRun, import_id: str, upload: Upload, *, slot: KeySlot, digest: str
) -> None:
    """Put a sealed file on record, and have the run go on with it.

    Raises:
        LayoutUnknown: there is no such layout of the run's kind.
        BatchFileKnown: the same bytes are the file of a run already.
        FormInvalid: fields of the form are unknown, or a control total is no whole number.
        WrongState: the run has ended, or has a file.
    """
    now = deps.clock()
    controls = _controls(upload.fields)
    with deps.database.read() as session:
        layout, version, read = find_layout(
            session, run.tenant, upload.fields.get("layout", ""), upload.fields.get("layoutVersion")
        )
    if read.kind != run.kind:
        raise LayoutUnknown(params={"layout": layout, "version": version})
    row = BatchImport(
        id=import_id,
        tenant=run.tenant,
        run=run.token,
        layout=layout,
        layout_version=version,
        file_name=import_id,
        digest=_keyed(deps, run.tenant, upload.content_digest),
        size_bytes=upload.sealed.size_bytes,
        control_count=controls["controlCount"],
        control_minor=controls["controlMinor"],
        created_at=now,
    )
    facts = {
        "import": import_id,
        "form": read.file.format.value,
        "layout": layout,
        "version": version,
        "digest": upload.sealed.digest,
        "bytes": row.size_bytes,
    }
    with unit_of_work(deps.database, deed(principal, "batch.file-received", run.token, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=import_id, status=HTTPStatus.CREATED, now=now)
        fresh = known_run(unit.session, principal, run.token)
        _refuse_outsider(unit.session, principal, fresh.client, on=fresh.business_date)
        if fresh.stage == RunStage.ENDED:
            raise WrongState(detail=run.token, params={"state": fresh.stage})
        keep_layout(unit.session, run.tenant, layout, version, read, by=principal.staff_id, now=now)
        known = add_import(unit.session, row)
        if known is not None:
            raise BatchFileKnown(params={"run": known})
        if fresh.paused_at is not None:
            runs.want_pause(unit.session, fresh, paused=False, now=now)


def pause(deps: ApiDeps, principal: Principal, token: str, *, paused: bool) -> None:
    """Have a run wait, or go on.

    Raises:
        NotFound, WrongState: why not; a run without its file has nothing to go on with.
    """
    now = deps.clock()
    action = "batch.paused" if paused else "batch.resumed"
    with unit_of_work(deps.database, deed(principal, action, token, now)) as unit:
        run = known_run(unit.session, principal, token)
        if not paused and lacks_file(unit.session, run):
            raise WrongState(detail=token, params={"state": "file-awaited"})
        runs.want_pause(unit.session, run, paused=paused, now=now)


def amend(deps: ApiDeps, principal: Principal, token: str, criteria: dict[str, Any], *, read_version: int) -> None:
    """Put other criteria in place of those that a returned run had.

    Raises:
        NotFound, FormInvalid, StaleVersion, WrongState: why not.
    """
    now = deps.clock()
    with unit_of_work(deps.database, deed(principal, "batch.criteria-amended", token, now)) as unit:
        run = known_run(unit.session, principal, token)
        check_version(read=read_version, current=run.version)
        amend_criteria(unit.session, run, criteria=criteria, now=now)
        unit.deed.facts |= {"revision": run.revision}


def cancel(deps: ApiDeps, principal: Principal, token: str, *, reason_code: str) -> None:
    """Have a run end; one that waits for its file is let go on to its end.

    Raises:
        NotFound, WrongState: why not.
    """
    now = deps.clock()
    with unit_of_work(deps.database, deed(principal, "batch.cancel-asked", token, now, reason=reason_code)) as unit:
        runs.want_cancel(unit.session, known_run(unit.session, principal, token), reason_code=reason_code, now=now)


def deed(principal: Principal, action: str, target: str, now: datetime, **facts: Any) -> Deed:
    """A deed of the caller about a run."""
    return Deed(tenant=principal.tenant, action=action, target=target, actor=principal.staff_id, at=now, facts=facts)


def today(deps: ApiDeps, principal: Principal) -> date:
    """The institution's business date.

    Raises:
        NotFound: its books have none yet.
    """
    with deps.database.read() as session:
        row = session.get(BusinessDate, principal.tenant)
    if row is None:
        raise NotFound(detail="business-date")
    return row.today


def _settings(body: NewRunBody) -> dict[str, Any]:
    said = body.settings.model_dump(by_alias=True, exclude_none=True, mode="json") if body.settings else {}
    try:
        read_settings(said)
    except ValueError:
        raise FormInvalid(faults=(FieldFault(pointer="/settings", code="pattern"),)) from None
    return said


def _request_key(slot: KeySlot) -> str:
    return "staff/" + hashlib.sha256(canonical_json([slot.principal, slot.key]).encode()).hexdigest()


def _refuse_outsider(session: Session, principal: Principal, client: str | None, *, on: date) -> None:
    """Where a client has named who orders for it, nobody else does.

    Raises:
        NotFound: as `clients.require_part`.
    """
    if client is not None and clients.has_maker(session, client):
        clients.require_part(session, client=client, staff_id=principal.staff_id, part=clients.MAKER, on=on)


def _controls(fields: dict[str, str]) -> dict[str, int | None]:
    faults = [
        FieldFault(pointer=f"/{name}", code="unknown-field")
        for name in sorted(set(fields) - {"layout", "layoutVersion", *_CONTROL})
    ]
    if not fields.get("layout"):
        faults.append(FieldFault(pointer="/layout", code="missing"))
    found: dict[str, int | None] = dict.fromkeys(_CONTROL)
    for name in _CONTROL:
        said = fields.get(name)
        if said is None:
            continue
        if not (said.isascii() and said.isdigit() and len(said) <= 15):  # noqa: PLR2004 - digits of the largest amount
            faults.append(FieldFault(pointer=f"/{name}", code="wrong-type", params={"expected": "integer"}))
            continue
        found[name] = int(said)
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return found


def _keyed(deps: ApiDeps, tenant: str, content_digest: str) -> str:
    key = deps.vault.purpose_key(tenant, Purpose.FINGERPRINT)
    return hmac.new(key, canonical_json(["batch-file", content_digest]).encode(), hashlib.sha256).hexdigest()
