"""What the records say about a cohort: who should not be in it, the ground for using the data, and how much is used."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from models.domain.assessments import BATCH_ACTIVITY
from models.domain.batches.kinds import KINDS, KindName, MemberSource
from models.domain.batches.layouts import FieldType
from models.domain.batches.states import MemberState
from models.domain.rule_words import LegalBasis
from models.queries.assessments import assessment_approved_at
from models.queries.batches.cohorts import cohort_of, not_to_be_in
from models.tables.batch_clients import BatchClient
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchLayout
from models.tables.batch_runs import BatchRun

# What an order needs of a person (PIPL-6: 最小必要), as types of fields. An application brings more by its own gate.
_OF_ORDERS: Final = frozenset({FieldType.NAME, FieldType.ACCOUNT, FieldType.AMOUNT})
_PLAIN: Final = frozenset({FieldType.AMOUNT, FieldType.DATE, FieldType.CODE, FieldType.BANK_CODE})
_NEEDED: Final[dict[KindName, frozenset[FieldType]]] = {
    **dict.fromkeys(KindName, _OF_ORDERS | _PLAIN),
    KindName.PAYROLL: _OF_ORDERS | _PLAIN | {FieldType.ID_NUMBER, FieldType.MOBILE},  # 农民工工资条例 Art. 15
    KindName.INTAKE: frozenset(FieldType),
}
# A layout tells its fields' kinds more finely than the rules ask.
_AS_TYPE: Final[dict[str, FieldType]] = {
    "reference": FieldType.CODE,
    "id-type": FieldType.CODE,
    "number": FieldType.CODE,
    "codes": FieldType.CODE,
    "card": FieldType.ACCOUNT,
    "bank": FieldType.BANK_CODE,
}
_BOOK: Final = (FieldType.ACCOUNT.value, FieldType.AMOUNT.value, FieldType.NAME.value)


def cohort_facts(session: Session, run: BatchRun, now: datetime) -> dict[str, object]:
    """Facts of the cohort of the run's present revision, before it is frozen."""
    del now
    cohort = cohort_of(session, run)
    if cohort is None:
        return {}
    kind = KindName(run.kind)
    facts: dict[str, object] = {
        **not_to_be_in(session, cohort, on=run.business_date),
        # Orders perform a contract: the person's own, or of a wage the employer's with its bank for the person's.
        "processing_basis": LegalBasis.CONTRACT.value,
        "basis_on_record": _has_basis(session, run, cohort),
        "processing_started_at": run.created_at,
        "data_needed": tuple(sorted(each.value for each in _NEEDED[kind])),
    }
    held = _held(session, run)
    if held is not None:
        facts["data_held"] = held
    approved_at = assessment_approved_at(session, tenant=run.tenant, activity=BATCH_ACTIVITY, started_at=run.created_at)
    if approved_at is not None:
        facts["pia_approved_at"] = approved_at
    return facts


def _has_basis(session: Session, run: BatchRun, cohort: BatchCohort) -> bool:
    if KINDS[KindName(run.kind)].needs_client:
        client = session.get(BatchClient, run.client)
        if client is None or client.state != "active" or client.agreement_from > run.business_date:
            return False
        return client.agreement_to is None or client.agreement_to >= run.business_date
    if run.kind == KindName.REFUND:
        return True  # a decision on record, by which the books owe the money
    without = select(func.count()).where(
        col(BatchMember.cohort) == cohort.id,
        col(BatchMember.state) == MemberState.INCLUDED.value,
        col(BatchMember.mandate_id).is_(None),
        col(BatchMember.agreement_id).is_(None),
        col(BatchMember.import_line).is_(None),  # an imported application is what it rests on
    )
    return session.exec(without).one() == 0


def _held(session: Session, run: BatchRun) -> tuple[str, ...] | None:
    """Which kinds of data the rows hold; None where the layout of the file is not on record."""
    if run.source == MemberSource.BOOK:
        return _BOOK
    taken = session.exec(select(BatchImport).where(col(BatchImport.run) == run.token)).one_or_none()
    layout = session.get(BatchLayout, (run.tenant, taken.layout, taken.layout_version)) if taken is not None else None
    if layout is None:
        return None
    kinds = {str(each["kind"]) for each in layout.body["fields"].values()}
    return tuple(sorted({str(_AS_TYPE.get(kind, kind)) for kind in kinds}))
