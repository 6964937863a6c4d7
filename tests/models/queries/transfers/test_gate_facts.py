"""Each gate of a transfer: open on a complete record, shut by what is missing, with the law that says so."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from sqlmodel import col, delete, select, update

from compliance.rules.evaluate import blocks
from models.database.engine import Database
from models.domain.states import Gate
from models.tables.assessments import ImpactAssessment
from models.tables.transfer_jobs import TransferEvidence, TransferFact
from models.tables.transfer_notices import TransferFollowUp, TransferNotice
from models.tables.transfers import TransferBackup, TransferPair, TransferRow
from models.texts.render import has_text
from tests.support.transfer_jobs import NOW, RecordedJob, recorded_job

GATES = [gate for gate in Gate if gate.value.startswith("transfers.")]


@pytest.fixture
def record(sqlite_database: Database) -> Iterator[RecordedJob]:
    with sqlite_database.write() as session:
        yield recorded_job(session)


@pytest.mark.parametrize("gate", GATES)
def test_a_complete_record_opens_every_gate(record: RecordedJob, gate: Gate) -> None:
    assert record.barred_by(gate) == []


def _no_evidence(kind: str) -> Callable[[RecordedJob], object]:
    return lambda record: record.session.exec(delete(TransferEvidence).where(col(TransferEvidence.kind) == kind))


def _unstated(name: str) -> Callable[[RecordedJob], object]:
    return lambda record: record.session.exec(
        delete(TransferFact).where(col(TransferFact.job) == record.job.token, col(TransferFact.name) == name)
    )


def _stated(name: str, value: Any) -> Callable[[RecordedJob], object]:
    return lambda record: record.state(name, value)


def _rows(table: Any, **values: Any) -> Callable[[RecordedJob], object]:
    return lambda record: record.session.exec(update(table).values(**values))


def _first_row(record: RecordedJob, **values: Any) -> None:
    row = record.session.exec(select(TransferRow)).first()
    assert row is not None
    for name, value in values.items():
        setattr(row, name, value)
    record.session.add(row)


def _review(record: RecordedJob) -> None:
    record.session.add(
        TransferPair(
            id="tpr_1",
            tenant="main",
            job=record.job.token,
            row_number=1,
            other="row:2",
            score_milli=1,
            verdict="review",
        )
    )


def _correction(record: RecordedJob) -> None:
    record.session.add(
        TransferFollowUp(
            id="tfu_1",
            tenant="main",
            job=record.job.token,
            row_number=1,
            subject_id="sub_1",
            kind="correction",
            state="open",
            due_at=NOW,
            opened_at=NOW,
        )
    )


def _contractor(record: RecordedJob) -> None:
    record.plan(contractors=[{"code": "porter", "terms": ["purpose"], "passedOn": False, "deletionProof": True}])


SHUT: dict[str, tuple[Gate, str, Callable[[RecordedJob], object]]] = {
    "class not of the event": (Gate.TRANSFER_CLASSIFY, "MIG-CLASS", _stated("transfer_event", "merger")),
    "no asset agreement": (Gate.TRANSFER_CLASSIFY, "MIG-E", _no_evidence("asset-agreement")),
    "no basis of the export": (Gate.TRANSFER_CLASSIFY, "MIG-G", _no_evidence("export-basis")),
    "register filed too late": (Gate.TRANSFER_CLASSIFY, "REG-24", _stated("change_filed_on", date(2026, 11, 20))),
    "register not told": (Gate.TRANSFER_CLASSIFY, "REG-24", _unstated("change_filed_on")),
    "no impact assessment": (Gate.TRANSFER_PLAN, "PIPL-55", lambda record: record.plan(impactAssessment=None)),
    "assessment has run out": (
        Gate.TRANSFER_PLAN, "PIPL-55", _rows(ImpactAssessment, valid_until=date(2026, 1, 1)),
    ),
    "assessment is a draft": (Gate.TRANSFER_PLAN, "PIPL-55", _rows(ImpactAssessment, state="DRAFT")),
    "assessment without measures": (Gate.TRANSFER_PLAN, "PIPL-56", _rows(ImpactAssessment, measures_cell=None)),
    "no security assessment": (Gate.TRANSFER_PLAN, "NFRA-DS-1", lambda record: record.plan(securityAssessment=None)),
    "contractor not bound": (Gate.TRANSFER_PLAN, "PIPL-21-CONTRACTOR", _contractor),
    "ten million persons": (
        Gate.TRANSFER_PLAN,
        "NDSR-32",
        lambda record: (
            # Before anything was read; the database lets nobody take rows away.
            record.session.connection().exec_driver_sql("DROP TRIGGER transfer_rows_kept"),
            record.session.exec(delete(TransferRow)),
            record.plan(scope=record.job.plan["scope"] | {"customers": 10_000_000}),
        ),
    ),
    "backup not proven": (Gate.TRANSFER_BACKUP, "MIG-RESTORE", _rows(TransferBackup, state="made")),
    "backup of one side only": (
        Gate.TRANSFER_BACKUP,
        "MIG-RESTORE",
        lambda record: record.session.exec(delete(TransferBackup).where(col(TransferBackup.side) == "source")),
    ),
    "backup after the first write": (Gate.TRANSFER_BACKUP, "NDSR-9", _rows(TransferBackup, made_at=NOW)),
    "somebody not told": (
        Gate.TRANSFER_NOTIFY,
        "PIPL-23",
        lambda record: record.session.exec(
            update(TransferNotice).where(col(TransferNotice.row_number) == 2).values(state="sent")
        ),
    ),
    "somebody has not answered": (
        Gate.TRANSFER_NOTIFY,
        "PIPL-23",
        lambda record: record.session.exec(
            update(TransferNotice).where(col(TransferNotice.row_number) == 2).values(consent="asked")
        ),
    ),
    "notice without contacts": (
        Gate.TRANSFER_NOTIFY,
        "PIPL-23",
        lambda record: record.plan(notice={**record.job.plan["notice"], "contacts": ""}),
    ),
    "asked again after a refusal": (Gate.TRANSFER_NOTIFY, "NDSR-22", _stated("asks_after_refusal", 1)),
    "claim not assignable": (
        Gate.TRANSFER_CLAIMS, "CC-545", _stated("claim_assignability", "forbidden-by-law"),
    ),
    "guarantee left behind": (Gate.TRANSFER_CLAIMS, "CC-547", _stated("accessory_rights_moved", 2)),
    "conflict on a key field": (Gate.TRANSFER_UPDATE, "PIPL-8", lambda record: _first_row(record, move="conflict")),
    "pair not reviewed": (Gate.TRANSFER_UPDATE, "PIPL-8", _review),
    "correction open": (Gate.TRANSFER_UPDATE, "PIPL-46", _correction),
    "identity in doubt": (Gate.TRANSFER_UPDATE, "AML-29", _stated("due_diligence", "doubted")),
    "no way out of the country": (Gate.TRANSFER_CROSS_BORDER, "PIPL-38", _stated("export_path", "none")),
    "no consent to the export": (Gate.TRANSFER_CROSS_BORDER, "PIPL-39", _stated("export_consented_apart", False)),
    "no undertaking": (Gate.TRANSFER_AFTER_CUT_OVER, "NDSR-14", _no_evidence("recipient-undertaking")),
    "old store open": (Gate.TRANSFER_AFTER_CUT_OVER, "PIPL-47-OLD-STORE", _stated("old_store_state", "open")),
    "no audit": (Gate.TRANSFER_AUDIT, "PIPL-54", _unstated("audit_made_on")),
    "points of the audit left out": (Gate.TRANSFER_AUDIT, "AUD-guide", _stated("audit_points", ("basis",))),
    "no contract with the recipient": (Gate.TRANSFER_AUDIT, "NDSR-12", _no_evidence("recipient-contract")),
}  # fmt: skip


@pytest.mark.parametrize("lack", SHUT)
def test_a_gate_is_shut_by_what_is_missing_and_names_the_law(record: RecordedJob, lack: str) -> None:
    gate, rule, take_away = SHUT[lack]
    assert rule not in record.barred_by(gate)
    take_away(record)
    barred = {each.rule_id: each for each in record.ask(gate) if blocks(result=each.result, severity=each.severity)}
    assert rule in barred
    assert barred[rule].citation
    for locale in ("zh-CN", "en"):
        assert has_text(f"rule.{rule}.citation", locale)


def test_every_gate_is_shut_by_something_above() -> None:
    assert {gate for gate, _, _ in SHUT.values()} == set(GATES)


def test_what_records_tell_nobody_states(record: RecordedJob) -> None:
    record.state("restore_tested", True)
    record.state("subjects_told", 3)
    record.session.exec(update(TransferBackup).values(state="failed"))
    record.session.exec(update(TransferNotice).values(state="pending"))
    assert "MIG-RESTORE" in record.barred_by(Gate.TRANSFER_BACKUP)
    assert "PIPL-23" in record.barred_by(Gate.TRANSFER_NOTIFY)


def test_a_legal_opinion_counts_only_with_its_document(record: RecordedJob) -> None:
    record.session.exec(update(TransferNotice).values(consent="asked"))
    record.state("notice_only_opinion", "LO-2026-7")
    assert "PIPL-23" not in record.barred_by(Gate.TRANSFER_NOTIFY)
    _no_evidence("legal-opinion")(record)
    assert "PIPL-23" in record.barred_by(Gate.TRANSFER_NOTIFY)


def test_the_exempt_are_neither_owed_nor_counted_as_told(record: RecordedJob) -> None:
    record.session.exec(update(TransferNotice).where(col(TransferNotice.row_number) == 3).values(state="exempt"))
    assert record.barred_by(Gate.TRANSFER_NOTIFY) == []
