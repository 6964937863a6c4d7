"""§13.3 of the regulation reference (migration): every gate by step and id, with a record that shuts it.

Each shut record is the complete one of `tests.support.transfer_jobs` with one thing taken away or put wrong, in the
tables that people and steps write; nothing is handed to a rule by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlmodel import col, delete, select, update

from models.domain.personal_data_words import BREACH_NOTICE
from models.domain.roles import Role
from models.domain.states import Gate
from models.tables.assessments import ImpactAssessment
from models.tables.staff import StaffRole
from models.tables.transfer_jobs import TransferEvidence
from models.tables.transfer_notices import TransferFollowUp, TransferNotice
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferBackup, TransferChange, TransferPair, TransferRow
from tests.support.transfer_jobs import NOW, RecordedJob

Act = Callable[[RecordedJob], object]

# The table, step by step, as it stands there. W: shown, and bars nothing.
SECTION_13_3: Final[dict[str, tuple[str, ...]]] = {
    "classify": ("MIG-CLASS", "CO-32", "CO-34", "REG-24", "merger agreement", "asset agreement", "TAX-16", "TAX-48"),
    "plan": ("PIPL-55", "PIPL-56", "NFRA-DS-1", "NDSR-28", "NDSR-32", "PIPL-21", "CRYPT-38 W", "DSL-21"),
    "backup": ("NDSR-9", "JRT171-STORE", "restore test"),
    "notify": (
        "PIPL-22", "PIPL-23", "separate consent", "CC-546", "CC-555", "CC-696 W", "AML-34b", "CC-137", "NDSR-22",
    ),
    "update": ("PIPL-8", "AML-29(3)", "AML-31", "PIPL-46", "four-eyes", "before/after diff"),
    "cross-border": (
        "PIPL-38", "PIPL-39", "PIPL-40", "PIPL-41", "XB-5", "XB-7", "XB-8", "XB-9", "DSL-36",
    ),
    "after cut-over": ("PIPL-47", "NDSR-14"),
    "audit": ("AUD-4", "AUD-12", "AUD-guide", "PIPL-54", "PIPL-56", "NDSR-12"),
    "incident": (
        "PIPL-57", "NDSR-11", "INC-PBOC", "INC-NFRA", "INC-CAC", "INC-NDSR-10", "INC-PIPL",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shut:
    """A record that shuts a gate.

    Attributes:
        rule: the rule of ours that stands for the id.
        spoil: puts the record wrong.
        given: what the job is like before, where it is not the common one.
        mend: puts it right again, where writing the old rows back is not the way.
    """

    gate: Gate
    rule: str
    spoil: Act
    given: Act = lambda _: None
    mend: Act | None = None


def stated(**facts: Any) -> Act:
    """People have stated this."""
    return lambda record: [record.state(name, value) for name, value in facts.items()]


def planned(**changes: Any) -> Act:
    """The plan says this."""
    return lambda record: record.plan(**changes)


def without(kind: str) -> Act:
    """Evidence that is not on file."""
    return lambda record: record.session.exec(delete(TransferEvidence).where(col(TransferEvidence.kind) == kind))


def every(table: Any, **values: Any) -> Act:
    """All rows of a table say this."""
    return lambda record: record.session.exec(update(table).values(**values))


def of_class(name: str, **facts: Any) -> Act:
    """The job is of another class, with what that asks for."""

    def change(record: RecordedJob) -> None:
        record.job.classes = [name]
        record.session.add(record.job)
        stated(**facts)(record)

    return change


def of_persons(count: int, **facts: Any) -> Act:
    """So many persons are planned, and none is read yet."""

    def change(record: RecordedJob) -> None:
        # The database lets nobody take rows away.
        record.session.connection().exec_driver_sql("DROP TRIGGER IF EXISTS transfer_rows_kept")
        record.session.exec(delete(TransferRow))
        record.plan(scope=record.job.plan["scope"] | {"customers": count})
        stated(**facts)(record)

    return change


def both(*acts: Act) -> Act:
    """One after the other."""
    return lambda record: [act(record) for act in acts]


def _scope(**changes: Any) -> Act:
    return lambda record: record.plan(scope=record.job.plan["scope"] | changes)


def _one_notice(**values: Any) -> Act:
    return lambda record: record.session.exec(
        update(TransferNotice).where(col(TransferNotice.row_number) == 2).values(**values)
    )


def _contractor(**changes: Any) -> Act:
    return planned(
        contractors=[{"code": "porter", "terms": ["purpose"], "passedOn": False, "deletionProof": True} | changes]
    )


def _review(record: RecordedJob) -> None:
    record.session.add(
        TransferPair(
            id="tpr_1", tenant="main", job=record.job.token, row_number=1, other="row:2", score_milli=1,
            verdict="review",
        )
    )  # fmt: skip


def _correction(record: RecordedJob) -> None:
    record.session.add(
        TransferFollowUp(
            id="tfu_1", tenant="main", job=record.job.token, row_number=1, subject_id="sub_1", kind="correction",
            state="open", due_at=NOW, opened_at=NOW,
        )
    )  # fmt: skip


def changed(*, before: bytes | None = b"before") -> Act:
    """The job has changed a record that was there."""

    def change(record: RecordedJob) -> None:
        record.session.add(
            TransferChange(
                id="tch_1", tenant="main", job=record.job.token, wave=1, attempt=1, row_number=1, record_id="cus_1",
                kind="update", before_image=before, after_image=b"after", version_before=1,
                version_after=2, at=NOW,
            )
        )  # fmt: skip

    return change


def _taken(*, second: str | None) -> Act:
    """A key field that differed was overwritten by the word of one person, or of two."""

    def decide(record: RecordedJob) -> None:
        record.session.merge(
            TransferConflict(
                id="tcf_1", tenant="main", job=record.job.token, wave=1, attempt=1, row_number=1, record_id="cus_1",
                kind="key-fields", fields=["mobile"], state="decided", choice="take", decided_by="stf_one",
                second_by=second, opened_at=NOW, decided_at=NOW,
            )
        )  # fmt: skip

    return decide


def _no_officer(record: RecordedJob) -> None:
    record.session.exec(delete(StaffRole).where(col(StaffRole.role) == Role.PRIVACY_OFFICER.value))


def _first_row(**values: Any) -> Act:
    def change(record: RecordedJob) -> None:
        row = record.session.exec(select(TransferRow).order_by(col(TransferRow.number))).first()
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        record.session.add(row)

    return change


_C, _P, _B = Gate.TRANSFER_CLASSIFY, Gate.TRANSFER_PLAN, Gate.TRANSFER_BACKUP
_N, _L, _U = Gate.TRANSFER_NOTIFY, Gate.TRANSFER_CLAIMS, Gate.TRANSFER_UPDATE
_X, _O, _A = Gate.TRANSFER_CROSS_BORDER, Gate.TRANSFER_AFTER_CUT_OVER, Gate.TRANSFER_AUDIT
_MERGER: Final = {
    "transferred": "institution", "transfer_event": "merger", "recipient_abroad": False, "tax_event_reported": True,
    "taxes_settled": True, "merger_kind": "absorption",
}  # fmt: skip
_MILLIONS: Final = 10_000_001

SHUT: Final[dict[tuple[str, str], Shut]] = {
    ("classify", "MIG-CLASS"): Shut(_C, "MIG-CLASS", stated(transfer_event="merger")),
    ("classify", "CO-32"): Shut(_C, "CO-32", stated(registered_items_filed=())),
    ("classify", "CO-34"): Shut(_C, "CO-34", stated(change_relied_on_before_register=True)),
    ("classify", "REG-24"): Shut(_C, "REG-24", stated(change_filed_on=date(2026, 11, 20))),
    ("classify", "merger agreement"): Shut(_C, "MIG-C", without("merger-agreement"), of_class("C", **_MERGER)),
    ("classify", "asset agreement"): Shut(_C, "MIG-E", without("asset-agreement")),
    ("classify", "TAX-16"): Shut(_C, "TAX-16", stated(tax_register_changed_on=date(2026, 12, 20))),
    ("classify", "TAX-48"): Shut(_C, "TAX-48", stated(taxes_settled=False), of_class("C", **_MERGER)),
    ("plan", "PIPL-55"): Shut(_P, "PIPL-55", planned(impactAssessment=None)),
    ("plan", "PIPL-56"): Shut(_P, "PIPL-56", every(ImpactAssessment, measures_cell=None)),
    ("plan", "NFRA-DS-1"): Shut(_P, "NFRA-DS-1", planned(securityAssessment=None)),
    ("plan", "NDSR-28"): Shut(
        _P,
        "NDSR-28",
        stated(protective_measures=False),
        of_persons(10_000_000, protective_measures=True, authority_plan_filed_on=date(2026, 10, 1)),
    ),
    ("plan", "NDSR-32"): Shut(
        _P,
        "NDSR-32",
        stated(authority_plan_filed_on=date(2026, 12, 24)),
        of_persons(10_000_000, protective_measures=True, authority_plan_filed_on=date(2026, 10, 1)),
    ),
    ("plan", "PIPL-21"): Shut(_P, "PIPL-21-CONTRACTOR", _contractor()),
    ("plan", "CRYPT-38 W"): Shut(_P, "CRYPT-38", stated(crypto_required=True, crypto_planned_together=False)),
    ("plan", "DSL-21"): Shut(_P, "DSL-21", _scope(dataGrade="whatever")),
    ("backup", "NDSR-9"): Shut(_B, "NDSR-9", every(TransferBackup, made_at=NOW)),
    ("backup", "JRT171-STORE"): Shut(_B, "JRT171-STORE", stated(log_scan_hits=1)),
    ("backup", "restore test"): Shut(_B, "MIG-RESTORE", every(TransferBackup, state="made")),
    ("notify", "PIPL-22"): Shut(_N, "PIPL-22", _one_notice(state="sent"), of_class("C", **_MERGER)),
    ("notify", "PIPL-23"): Shut(_N, "PIPL-23", _one_notice(state="sent")),
    ("notify", "separate consent"): Shut(_N, "PIPL-23", _one_notice(consent="asked")),
    ("notify", "CC-546"): Shut(_N, "CC-546", stated(notice_revoked_alone=True)),
    ("notify", "CC-555"): Shut(_N, "CC-555", stated(contracts_move=True, counterparty_consented=False)),
    ("notify", "CC-696 W"): Shut(_N, "CC-696", stated(guarantors_of_claims=2)),
    ("notify", "AML-34b"): Shut(
        _N,
        "AML-34b",
        stated(identity_update_working_days=60),
        of_class("A", identity_update_working_days=3),
    ),
    ("notify", "CC-137"): Shut(_N, "CC-137", every(TransferNotice, told_at=None)),
    ("notify", "NDSR-22"): Shut(_N, "NDSR-22", stated(asks_after_refusal=1)),
    ("update", "PIPL-8"): Shut(_U, "PIPL-8", _first_row(move="conflict")),
    ("update", "AML-29(3)"): Shut(_U, "AML-29", stated(due_diligence="doubted")),
    ("update", "AML-31"): Shut(_U, "AML-31", stated(agent_acts=True, agent_power_proven=False, agent_identified=True)),
    ("update", "PIPL-46"): Shut(_U, "PIPL-46", _correction, mend=every(TransferFollowUp, state="done")),
    ("update", "four-eyes"): Shut(
        _U, "MIG-DIFF", _taken(second=None), changed(), mend=_taken(second="stf_two")
    ),
    ("update", "before/after diff"): Shut(
        _U, "MIG-DIFF", every(TransferChange, before_image=None), changed(), mend=every(TransferChange, undone_at=NOW)
    ),
    ("cross-border", "PIPL-38"): Shut(_X, "PIPL-38", stated(export_path="none")),
    ("cross-border", "PIPL-39"): Shut(_X, "PIPL-39", stated(export_consented_apart=False)),
    ("cross-border", "PIPL-40"): Shut(_X, "PIPL-40", stated(critical_operator=True, stored_in_china=False)),
    ("cross-border", "PIPL-41"): Shut(_X, "PIPL-41", stated(foreign_authority_asks=True)),
    ("cross-border", "XB-5"): Shut(_X, "XB-5", stated(export_path="exempt")),
    ("cross-border", "XB-7"): Shut(_X, "XB-7", stated(export_sensitive_persons=10_000)),
    ("cross-border", "XB-8"): Shut(_X, "XB-8", stated(export_path="exempt")),
    ("cross-border", "XB-9"): Shut(
        _X,
        "XB-9",
        stated(assessment_passed_on=date(2022, 1, 10)),
        stated(
            export_path="assessment", export_basis="assessment", export_on=date(2026, 12, 1),
            assessment_passed_on=date(2026, 1, 10), extension_asked=False, extension_working_days_before=0,
        ),
    ),
    ("cross-border", "DSL-36"): Shut(_X, "DSL-36", stated(foreign_authority_asks=True)),
    ("after cut-over", "PIPL-47"): Shut(_O, "PIPL-47-OLD-STORE", stated(old_store_state="open")),
    ("after cut-over", "NDSR-14"): Shut(_O, "NDSR-14", without("recipient-undertaking")),
    ("audit", "AUD-4"): Shut(_A, "AUD-4", stated(audit_made_on=date(2024, 11, 1)), of_persons(_MILLIONS)),
    ("audit", "AUD-12"): Shut(_A, "AUD-12", _no_officer, of_persons(_MILLIONS)),
    ("audit", "AUD-guide"): Shut(_A, "AUD-guide", stated(audit_points=("basis",))),
    ("audit", "PIPL-54"): Shut(_A, "PIPL-54", stated(audit_made_on=date(2023, 11, 1))),
    ("audit", "PIPL-56"): Shut(_A, "PIPL-56", planned(impactAssessment=None)),
    ("audit", "NDSR-12"): Shut(_A, "NDSR-12", without("recipient-contract")),
}  # fmt: skip
_HOUR: Final = timedelta(hours=1)
# What an incident of a migration asks for: asked of the rules over HTTP, by who keeps the register. Good facts first.
INCIDENT_FACTS: Final[dict[str, Any]] = {
    "breach_acted_at_once": True,
    "breach_authority_told": True,
    "breach_persons_told": True,
    "breach_harm_averted": False,
    "breach_notice_items": BREACH_NOTICE,
    "incident_plan": True,
    "crime_clues": False,
    "police_told": False,
    "risks_open": 0,
    "incident_grade": "major",
    "incident_discovered_at": NOW,
    "pboc_brief_at": NOW + _HOUR / 4,
    "pboc_reported_at": NOW + _HOUR,
    "nfra_brief_at": NOW + _HOUR / 4,
    "nfra_written_at": NOW + _HOUR,
    "nfra_longest_gap_minutes": 30,
    "critical_operator": False,
    "cac_reported_at": NOW + _HOUR / 4,
    "flaw_endangers_public": True,
    "flaw_found_at": NOW,
    "flaw_reported_at": NOW + _HOUR,
    "authority_told_at": NOW + _HOUR,
    "persons_told_at": NOW + _HOUR,
}
_LATE: Final = NOW + timedelta(days=30)
INCIDENT_SHUT: Final[dict[str, dict[str, Any]]] = {
    "PIPL-57": {"breach_authority_told": False},
    "NDSR-11": {"incident_plan": False},
    "INC-PBOC": {"pboc_reported_at": _LATE},
    "INC-NFRA": {"nfra_brief_at": _LATE},
    "INC-CAC": {"cac_reported_at": _LATE},
    "INC-NDSR-10": {"flaw_reported_at": _LATE},
    "INC-PIPL": {"authority_told_at": _LATE},
}
