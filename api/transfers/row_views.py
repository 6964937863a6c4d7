"""Rows, faults and sources of a transfer job as they are answered: masked, and in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence

from api.deps import ApiDeps
from api.transfers.row_bodies import CorrectionAnswer, FaultAnswer, RowAnswer, SourceAnswer
from compliance.vault.record_masking import mask_record
from compliance.vault.records import RecordVault, SealedRecord
from compliance.vault.transfer_rows import CORRECTION_LAYOUT, MARK, open_living
from models.domain.customers.faults import Fault, from_document, severity_of
from models.domain.privacy.masks import MaskPolicy
from models.tables.transfer_corrections import TransferCorrection
from models.tables.transfers import TransferRow, TransferSource
from models.texts.render import render


def fault_answers(
    faults: Iterable[Fault], *, locale: str, stricter: Mapping[str, str] | None = None
) -> list[FaultAnswer]:
    """Faults in words: what is wrong, and what to do."""
    return [
        FaultAnswer(
            field=fault.field,
            field_name=render(f"record-field.{fault.field}", {}, locale),
            rule=fault.rule,
            severity=severity_of(fault.rule, stricter).value,
            title=render(f"record-fault.{fault.rule}", {}, locale),
            fix=render(f"record-fix.{fault.rule}", {}, locale),
        )
        for fault in faults
    ]


def row_answers(
    deps: ApiDeps, rows: Sequence[TransferRow], *, tenant: str, masks: MaskPolicy, locale: str
) -> list[RowAnswer]:
    """Rows of one job, opened together and masked."""
    opened = open_living(deps.vault, tenant=tenant, rows=[(row.subject_id, bytes(row.row_cell)) for row in rows])
    answers = []
    for row, (_, values) in zip(rows, opened, strict=True):
        faults = from_document(row.faults)
        answers.append(
            RowAnswer(
                number=row.number,
                source=row.source,
                line=row.line,
                outcome=row.outcome,
                reason_code=row.reason_code,
                values=mask_record(values or {}, faulty={fault.field for fault in faults}, masks=masks),
                faults=fault_answers(faults, locale=locale),
                version=row.version,
            )
        )
    return answers


def correction_answers(
    deps: ApiDeps, corrections: Sequence[TransferCorrection], *, tenant: str, masks: MaskPolicy
) -> list[CorrectionAnswer]:
    """Corrections of one row."""
    return [
        CorrectionAnswer(
            id=each.id,
            state=each.state,
            fields=each.fields,
            values=mask_record(changes_of(deps, each, tenant=tenant), masks=masks),
            shown_hash=each.shown_hash,
            made_by=each.made_by,
            decided_by=each.decided_by,
            reason_code=each.reason_code,
            created_at=each.created_at,
            decided_at=each.decided_at,
        )
        for each in corrections
    ]


def changes_of(deps: ApiDeps, correction: TransferCorrection, *, tenant: str) -> dict[str, str]:
    """What a correction changes, in clear."""
    opening = RecordVault(deps.vault, tenant=tenant, layout=CORRECTION_LAYOUT)
    cell = {CORRECTION_LAYOUT.packed_into: bytes(correction.changes_cell)}
    [record] = opening.open([SealedRecord(correction.id, correction.subject_id, cell)])
    return {name: str(value) for name, value in record.values.items() if name != MARK}


def source_answer(source: TransferSource) -> SourceAnswer:
    """A source."""
    return SourceAnswer(
        id=source.id,
        number=source.number,
        kind=source.kind,
        place=source.place,
        mapping_hash=source.mapping_hash,
        digest=source.digest,
        read_rows=source.read_rows,
        left_out=source.left_out or {},
        finished_at=source.finished_at,
    )
