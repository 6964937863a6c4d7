"""The periodic check of moved records (信息准确性定期核对): a sample by a seed that anybody can compute again.

Each sampled record is opened and asked every rule that a row was asked when it was collected; what breaks one is a
follow-up for a person, with fields and rules and no value.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlmodel import col, func, select
from temporalio import activity

from compliance.audit.unit import unit_of_work
from compliance.transfers.notice_job import deed_of, read_job
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from models.contracts.transfer_accuracy import AccuracyDone, AccuracyInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.faults import Severity, severity_of
from models.domain.customers.validity import check_record
from models.domain.transfers.follow_ups import FollowUpKind
from models.domain.transfers.states import MoveState
from models.errors import CannotOpen, SubjectShredded
from models.operations.transfers.follow_ups import open_follow_up
from models.queries.transfers.notices import notice_of_row
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferJob, TransferRow
from workflows.ports.transfer_accuracy import AccuracyPort

SAMPLE: Final = 50  # records of a job and date
_DRAWS: Final = 8  # of a row, for each record wanted: rows that were held or merged fall out


def drawn(job: str, on: str, *, rows: int, count: int) -> list[int]:
    """Numbers of rows, by job and date alone: SHA-256 of `<job>/<date>/<draw>`, modulo the rows, each once."""
    numbers: dict[int, None] = {}
    for draw in range(count * _DRAWS):
        digest = hashlib.sha256(f"{job}/{on}/{draw}".encode()).digest()
        numbers[int.from_bytes(digest[:8]) % rows + 1] = None
    return list(numbers)


@dataclass(slots=True)
class SqlAccuracy(AccuracyPort):
    """The check over database and vault."""

    database: Database
    vault: Vault
    clock: Clock

    @activity.defn(name="transfers.check_accuracy", no_thread_cancel_exception=True)
    def check_accuracy(self, input: AccuracyInput) -> AccuracyDone:
        """Check a sample of every job of the tenant that has moved something."""
        with self.database.read() as session:
            jobs = session.exec(
                select(col(TransferRow.job), func.max(col(TransferRow.number)))
                .join(TransferJob, col(TransferJob.token) == col(TransferRow.job))
                .where(col(TransferJob.tenant) == input.tenant)
                .group_by(col(TransferRow.job))
                .order_by(col(TransferRow.job))
            ).all()
        checked = findings = 0
        for job, last in jobs:
            if activity.in_activity():
                activity.heartbeat(job)
            rows = self._sample(job, drawn(job, input.on, rows=last, count=SAMPLE))
            faulty = self._faulty(input, rows)
            checked, findings = checked + len(rows), findings + len(faulty)
            if rows:
                self._keep(job, input.on, len(rows), faulty)
        return AccuracyDone(checked=checked, findings=findings)

    def _sample(self, job: str, numbers: Sequence[int]) -> list[tuple[int, CustomerRecord]]:
        with self.database.read() as session:
            found = session.exec(
                select(col(TransferRow.number), CustomerRecord)
                .join(CustomerRecord, col(CustomerRecord.id) == col(TransferRow.target_record))
                .where(
                    col(TransferRow.job) == job,
                    col(TransferRow.number).in_(numbers),
                    col(TransferRow.move) == MoveState.MOVED.value,
                    col(CustomerRecord.erased_at).is_(None),
                )
            ).all()
        by_number = dict(found)
        return [(number, by_number[number]) for number in numbers if number in by_number][:SAMPLE]

    def _faulty(
        self, input: AccuracyInput, rows: Sequence[tuple[int, CustomerRecord]]
    ) -> list[tuple[int, list[dict[str, str]]]]:
        """Rows whose record breaks a rule, with fields and rules."""
        found = []
        for number, record in rows:
            try:
                (opened,) = open_customers(self.vault, tenant=input.tenant, stored=[stored_of(record)])
            except SubjectShredded:
                continue  # erased meanwhile
            except CannotOpen:
                found.append((number, [{"field": "record", "rule": "cannot-open"}]))
                continue
            faults = check_record(opened.values, today=date.fromisoformat(input.on)).faults
            weighty = [each for each in faults if severity_of(each.rule) is not Severity.WARN]
            if weighty:
                found.append((number, [{"field": each.field, "rule": each.rule} for each in weighty]))
        return found

    def _keep(self, job: str, on: str, checked: int, faulty: Sequence[tuple[int, list[dict[str, str]]]]) -> None:
        about, now = read_job(self.database, job), self.clock()
        facts: dict[str, Any] = {"on": on, "checked": checked, "findings": len(faulty)}
        with unit_of_work(self.database, deed_of(about.job, "transfer.accuracy-checked", now, **facts)) as unit:
            for number, faults in faulty:
                notice = notice_of_row(unit.session, job, number)
                if notice is None:
                    continue
                open_follow_up(
                    unit.session,
                    about.job,
                    notice,
                    kind=FollowUpKind.ACCURACY,
                    policy=about.policy,
                    now=now,
                    facts={"faults": faults, "on": on},
                )
