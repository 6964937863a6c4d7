"""What people are shown of a job's data is a deed, recorded before the answer leaves; the values are never in it."""

from collections.abc import Iterable, Sequence

from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.customers.record import FIELDS


def note_rows_shown(
    deps: ApiDeps, principal: Principal, job: str, rows: Sequence[int], *, fields: Iterable[str]
) -> None:
    """Record that rows of a job are shown, masked: their numbers, and which fields; blocking.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    _note(deps, principal, "transfer.rows-shown", job, rows=list(rows), fields=_in_order(fields))


def note_preview_shown(
    deps: ApiDeps, principal: Principal, job: str, kind: str, lines: Sequence[int], *, fields: Iterable[str]
) -> None:
    """Record that lines of a source are shown, masked, before any of it is read in; blocking.

    Raises:
        DatabaseBusy: as `note_rows_shown`.
    """
    _note(deps, principal, "transfer.source-shown", job, kind=kind, lines=list(lines), fields=_in_order(fields))


def note_conflict_shown(deps: ApiDeps, principal: Principal, job: str, conflict: str, *, fields: Iterable[str]) -> None:
    """Record that both sides of a conflict (冲突) are shown, masked; blocking.

    Raises:
        DatabaseBusy: as `note_rows_shown`.
    """
    _note(deps, principal, "transfer.conflict-shown", job, conflict=conflict, fields=_in_order(fields))


def note_changes_shown(deps: ApiDeps, principal: Principal, job: str, record: str, *, fields: Iterable[str]) -> None:
    """Record that what a job did to a record is shown, before and after, masked; blocking.

    Raises:
        DatabaseBusy: as `note_rows_shown`.
    """
    _note(deps, principal, "transfer.changes-shown", job, record=record, fields=_in_order(fields))


def _in_order(fields: Iterable[str]) -> list[str]:
    named = set(fields)
    return [name for name in FIELDS if name in named]


def _note(deps: ApiDeps, principal: Principal, action: str, job: str, **facts: object) -> None:
    if not facts["fields"]:
        return  # nothing of anybody was opened
    deed = Deed(
        tenant=principal.tenant,
        action=action,
        target=job,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"form": "masked", **facts},
    )
    with unit_of_work(deps.database, deed):
        pass  # the event is all there is to write
