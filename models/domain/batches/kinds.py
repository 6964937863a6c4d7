"""Kinds of batches as data (批量业务种类): a new kind is a new row here, and no new workflow."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.batches.states import RunStage


class KindName(StrEnum):
    """Names of kinds."""

    AUTO_DEBIT = "auto-debit"  # 自动扣款
    PAYROLL = "payroll"  # 代发工资
    LOAN_DEDUCTION = "loan-deduction"  # 贷款扣款
    FEE_COLLECTION = "fee-collection"  # 费用代收
    INTAKE = "intake"  # 批量进件
    REFUND = "refund"  # 批量退款: what customers are owed after disputes


class Direction(StrEnum):
    """Which way money goes, from where we stand."""

    IN = "in"  # 代收: pain.008
    OUT = "out"  # 代发: pain.001
    NONE = "none"  # no money: rows become cases


class Origin(StrEnum):
    """Who began a run."""

    STAFF = "staff"
    SCHEDULE = "schedule"
    DAILY = "daily"  # the debit step of a business date


class MemberSource(StrEnum):
    """Where the rows of a cohort come from."""

    BOOK = "book"
    FILE = "file"


_ALL: Final = tuple(stage for stage in RunStage if stage not in (RunStage.STOPPING, RunStage.ENDED))
_NO_RULES: Final = tuple(stage for stage in _ALL if stage is not RunStage.RULES)
_NO_MONEY: Final = tuple(stage for stage in _ALL if stage not in (RunStage.RULES, RunStage.SENDING, RunStage.AWAITING))
# A business date's debits are made and sent by the daily run itself; their run follows them to their end.
DAILY_STAGES: Final = (RunStage.AWAITING, RunStage.RECONCILING, RunStage.REPORTING, RunStage.CLOSING)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchKind:
    """What distinguishes one kind from another.

    Attributes:
        stages: which steps apply, in order; ENDED follows the last.
        sources: where its rows may come from.
        needs_mandate: each row rests on a mandate (授权), checked again when the run reaches it.
        needs_client: a corporate client (委托单位) has ordered it, with a control total.
        needs_funding: the client's funding account must cover the control total before an order leaves.
        row_gate: the gate that each row passes (`models.domain.states.Gate`); empty: none.
        message: of the file to the bank; empty: none leaves.
        has_retries: a refused row may be presented again under the retry policy.
    """

    name: KindName
    direction: Direction
    stages: tuple[RunStage, ...]
    sources: tuple[MemberSource, ...]
    needs_mandate: bool
    needs_client: bool
    needs_funding: bool
    row_gate: str
    message: str
    has_retries: bool


def _debit(name: KindName, *sources: MemberSource) -> BatchKind:
    return BatchKind(
        name=name,
        direction=Direction.IN,
        stages=_ALL,
        sources=sources,
        needs_mandate=True,
        needs_client=False,
        needs_funding=False,
        row_gate="batches.run-row",
        message="pain.008",
        has_retries=True,
    )


KINDS: Final[dict[KindName, BatchKind]] = {
    each.name: each
    for each in (
        _debit(KindName.AUTO_DEBIT, MemberSource.BOOK, MemberSource.FILE),
        _debit(KindName.LOAN_DEDUCTION, MemberSource.BOOK, MemberSource.FILE),
        _debit(KindName.FEE_COLLECTION, MemberSource.BOOK, MemberSource.FILE),
        BatchKind(
            name=KindName.PAYROLL,
            direction=Direction.OUT,
            stages=_ALL,
            sources=(MemberSource.FILE,),
            needs_mandate=False,
            needs_client=True,
            needs_funding=True,
            row_gate="batches.payroll-row",
            message="pain.001",
            has_retries=False,
        ),
        BatchKind(
            name=KindName.INTAKE,
            direction=Direction.NONE,
            stages=_NO_MONEY,
            sources=(MemberSource.FILE,),
            needs_mandate=False,
            needs_client=False,
            needs_funding=False,
            row_gate="installments.intake",
            message="",
            has_retries=False,
        ),
        BatchKind(
            name=KindName.REFUND,
            direction=Direction.OUT,
            stages=_NO_RULES,
            sources=(MemberSource.BOOK,),
            needs_mandate=False,
            needs_client=False,
            needs_funding=False,
            row_gate="",
            message="pain.001",
            has_retries=False,
        ),
    )
}


# Rows of agreements belong in the ledger of their agreement, and a batch keeps books of its own: the daily run collects
# them, and no run of the book does. A file that names mandates is another matter.
BY_DAILY_RUN: Final = (KindName.AUTO_DEBIT, KindName.LOAN_DEDUCTION)


def stages_of(kind: KindName, origin: Origin) -> tuple[RunStage, ...]:
    """Which steps a run of this kind has."""
    return DAILY_STAGES if origin is Origin.DAILY else KINDS[kind].stages
