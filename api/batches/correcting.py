"""Corrections of quarantined rows at the edge (更正、重新提交): said by one person, confirmed by another. Blocking."""

import json
from datetime import date
from typing import Final

from sqlmodel import Session, col, select

from api.batches.lookup import known_run
from api.batches.run_acts import deed
from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by, refuse_maker
from api.identity.authenticate import fresh_login
from api.identity.principal import Principal
from compliance.audit.deeds import shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.batch_rows import kept_row, row_subject, texts_of_row
from compliance.vault.cells import CellAddress
from models.domain.batches.files.cleaner import RowChecker, is_warning
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.rows import CleanRow, HeldRow, LineFault
from models.domain.batches.states import RowState, RunStage
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, NotFound, WrongState
from models.operations.batches.correcting import PROPOSED, decide, propose, replace_row
from models.queries.batches.layouts import find_layout
from models.queries.batches.run_list import import_of
from models.tables.batch_imports import BatchCorrection, BatchImport, BatchRow
from models.tables.batch_runs import BatchRun

# What reading found out, and no text tells again.
_OF_READING: Final = frozenset({"garbled", "formula-cell", "number-lost-digits"})


def correct_row(
    deps: ApiDeps, principal: Principal, token: str, number: int, changes: dict[str, str], *, read_version: int
) -> None:
    """Propose what a quarantined row should say; nothing counts before a second person confirms it.

    Raises:
        NotFound: no such run or row.
        FormInvalid: a field that the layout does not have, or nothing would change.
        WrongState: the row is not in quarantine, the run cleans no more, or another correction waits.
        StaleVersion: the row is another one by now.
    """
    now = deps.clock()
    with deps.database.read() as session:
        run, taken, row, layout = _found(session, principal, token, number)
    check_version(read=read_version, current=row.version)
    unknown = sorted(set(changes) - set(layout.fields))
    if unknown:
        raise FormInvalid(faults=tuple(FieldFault(pointer=f"/values/{name}", code="unknown-field") for name in unknown))
    before = texts_of_row(deps.vault, row)
    if not changes or (all(before.get(name) == text for name, text in changes.items()) and not _askew(row)):
        raise FormInvalid(faults=(FieldFault(pointer="/values", code="nothing-changed"),))
    made = new_token("bcr")
    cell = deps.vault.seal(_address(row, made), json.dumps(changes, ensure_ascii=False, sort_keys=True))
    correction = BatchCorrection(
        id=made,
        tenant=run.tenant,
        import_id=taken.id,
        row_number=row.number,
        subject_id=row.subject_id,
        changes_cell=cell,
        fields=sorted(changes),
        row_version=row.version,
        # Of the sealed bytes: the cell is what is confirmed, and its hash tells nothing of it.
        shown_hash=shown_hash({"correction": made, "row": number, "version": row.version, "cell": cell.hex()}),
        state=PROPOSED,
        made_by=principal.staff_id,
        made_by_person=principal.person_id,
        created_at=now,
    )
    facts = {"number": number, "correction": made, "fields": correction.fields}
    with unit_of_work(deps.database, deed(principal, "batch.correction-proposed", token, now, **facts)) as unit:
        propose(unit.session, correction, by=by(principal), now=now)


def decide_correction(
    deps: ApiDeps, principal: Principal, token: str, number: int, *, shown: str, confirm: bool
) -> None:
    """The second person's word: confirmed, the next attempt of the line waits to be judged.

    Raises:
        NotFound: no such run or row, or no correction of it waits.
        FourEyesViolation: the caller has proposed it.
        ShownChanged, WrongState, StaleVersion: what was shown holds no more.
    """
    now = deps.clock()
    fresh_login(principal, now=now)
    refuse_maker(deps, principal, shown_hash=shown)
    with deps.database.read() as session:
        _, taken, row, layout = _found(session, principal, token, number)
        correction = waiting_correction(session, row)
        on = known_run(session, principal, token).business_date
    if correction is None:
        raise NotFound
    corrected = _corrected(deps, taken, row, layout, correction, on=on) if confirm else None
    action = "batch.row-corrected" if confirm else "batch.correction-refused"
    facts = {"number": number, "correction": correction.id, "fields": correction.fields}
    with unit_of_work(deps.database, deed(principal, action, token, now, **facts)) as unit:
        decide(unit.session, correction.id, shown_hash=shown, confirm=confirm, by=by(principal), now=now)
        if corrected is not None:
            row.version = correction.row_version
            replace_row(unit.session, token, row, corrected, now=now)
            unit.deed.facts["replacedBy"] = corrected.number


def show_correction(
    deps: ApiDeps, principal: Principal, token: str, number: int
) -> tuple[BatchCorrection, list[tuple[str, str | None, str]], str]:
    """What the second person is to judge: field, as read and as it should be; recorded first, shown after.

    Returns:
        The correction, its fields in clear by name, and the id of the event that tells of the showing.

    Raises:
        NotFound: no such run or row, or no correction of it waits.
        WrongState: the row is not in quarantine, or the run cleans no more.
        SubjectShredded, CannotOpen: nothing can be shown; nothing is recorded either.
    """
    with deps.database.read() as session:
        _, _, row, _ = _found(session, principal, token, number)
        correction = waiting_correction(session, row)
    if correction is None:
        raise NotFound
    before = texts_of_row(deps.vault, row)
    changed = [(name, before.get(name), text) for name, text in sorted(_changes(deps, row, correction).items())]
    facts = {"number": number, "correction": correction.id, "fields": correction.fields}
    shown = deed(principal, "batch.correction-shown", token, deps.clock(), **facts)
    with unit_of_work(deps.database, shown) as unit:
        pass  # the event is all there is to write
    return correction, changed, unit.event_ids[0]


def waiting_correction(session: Session, row: BatchRow) -> BatchCorrection | None:
    """The correction of a row that waits for its second person."""
    return session.exec(
        select(BatchCorrection).where(
            col(BatchCorrection.import_id) == row.import_id,
            col(BatchCorrection.row_number) == row.number,
            col(BatchCorrection.state) == PROPOSED,
        )
    ).first()


def row_of(session: Session, principal: Principal, token: str, number: int) -> BatchRow:
    """A row of the run's file.

    Raises:
        NotFound: there is no such run, file or row.
    """
    taken = import_of(session, known_run(session, principal, token).token)
    row = session.get(BatchRow, (taken.id, number)) if taken is not None else None
    if row is None:
        raise NotFound
    return row


def _found(
    session: Session, principal: Principal, token: str, number: int
) -> tuple[BatchRun, BatchImport, BatchRow, Layout]:
    run, row = known_run(session, principal, token), row_of(session, principal, token, number)
    if row.state != RowState.HELD:
        raise WrongState(params={"state": "not-quarantined"})
    if run.stage != RunStage.CLEANING:
        raise WrongState(detail=token, params={"state": run.stage})
    taken = session.get_one(BatchImport, row.import_id)
    return run, taken, row, find_layout(session, run.tenant, taken.layout, taken.layout_version)[2]


def _corrected(
    deps: ApiDeps, taken: BatchImport, row: BatchRow, layout: Layout, correction: BatchCorrection, *, on: date
) -> BatchRow:
    """The row as the next attempt of its line, checked by the rules of its layout.

    Whoever corrects a row has looked at all of it: faults of the whole line go.
    """
    changes = _changes(deps, row, correction)
    texts = {**texts_of_row(deps.vault, row), **changes}
    known = [
        LineFault(each["field"], each["rule"])
        for each in row.faults
        if each["rule"] in _OF_READING and each["field"] not in changes
    ]
    values, faults = RowChecker(layout, today=on).check(texts, known)
    read: CleanRow | HeldRow = CleanRow(row.line, values, tuple(faults))
    if any(not is_warning(each) for each in faults):
        read = HeldRow(row.line, tuple(faults), texts, ())
    attempt = row.attempt + 1
    # Its key is made before the transaction: one that nothing uses is all that a death leaves.
    deps.vault.subject_keys(tenant=row.tenant, subject_ids={row_subject(taken.id, row.line, attempt)}, create=True)
    return kept_row(deps.vault, taken, layout, read, attempt=attempt)


def _changes(deps: ApiDeps, row: BatchRow, correction: BatchCorrection) -> dict[str, str]:
    changes: dict[str, str] = json.loads(deps.vault.open_text(_address(row, correction.id), correction.changes_cell))
    return changes


def _askew(row: BatchRow) -> bool:
    return any(each["field"] == "row" for each in row.faults)


def _address(row: BatchRow, correction: str) -> CellAddress:
    return CellAddress(row.tenant, "batch_corrections", "changes_cell", correction, row.subject_id)
