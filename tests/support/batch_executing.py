"""A run of a batch between its frozen cohort and its orders, and who executes it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session, col, select

from activities.batches.execute_steps import SqlExecute
from activities.batches.intake import CasesOfRows, NoCases
from activities.batches.judging import Judge
from activities.batches.rules_steps import SqlRules
from activities.gateways.bank.folder import BankFolders
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import ChunkDone, ChunkStep, PartDone, PartStep, Rehearsed
from models.database.engine import Database
from models.domain.batches.kinds import KindName
from models.domain.batches.states import FinalState, RunStage
from models.domain.tokens import named_token, new_case_token
from models.tables.agreements import Agreement
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchChunk, BatchOrder, BatchOutcome, BatchRehearsal, BatchRun
from tests.support.clock import FakeClock
from tests.support.daybook import START, TENANT, Daybook

_LOST: Final = (FinalState.BARRED, FinalState.WITHDRAWN)


@dataclass
class ExecuteOffice:
    """One tenant with agreements, and runs over them. The files of the rows are told, not sealed.

    Attributes:
        said: what a row of a file says, by its number.
        holidays: days on which no bank works, beside weekends.
    """

    database: Database
    vault: Vault
    clock: FakeClock
    folder: Path
    said: dict[int, dict[str, str]] = field(default_factory=dict)
    holidays: set[date] = field(default_factory=set)
    cases: CasesOfRows = field(default_factory=NoCases)
    book: Daybook = field(init=False)

    def __post_init__(self) -> None:
        """Open the books."""
        self.book = Daybook(self.database, self.vault, self.clock, BankFolders(self.folder / "exchange"))
        self.book.open()

    # -- who acts

    def judge(self) -> Judge:
        return Judge(
            lambda day: day.weekday() < 5 and day not in self.holidays,
            lambda _tenant, rows: {row.number: self.said[row.number] for row in rows if row.number in self.said},
        )

    def executor(self, holder: str = "one") -> SqlExecute:
        return SqlExecute(self.database, self.clock, self.judge(), self.cases, holder=lambda: holder)

    def rules(self) -> SqlRules:
        return SqlRules(self.database, self.clock, self.judge())

    # -- what there is

    def claims(self, agreements: Sequence[Agreement], count: int, *, amount: int = 1_01) -> list[dict[str, Any]]:
        """Claims of different cycles under the mandates of these agreements, in turn."""
        return [
            {
                "claim_key": f"card/{agreement.mandate_id}/{number:06d}",
                "subject_id": agreement.subject_id,
                "mandate_id": agreement.mandate_id,
                "amount_minor": amount + number,
            }
            for number in range(count)
            for agreement in [agreements[number % len(agreements)]]
        ]

    def row_claim(self, agreement: Agreement, no: int = 1) -> dict[str, Any]:
        """The claim for an agreement's row, all that it lacks."""
        row = self.book.rows(agreement)[no - 1]
        return {
            "claim_key": f"row/{agreement.id}/{no}",
            "subject_id": agreement.subject_id,
            "mandate_id": agreement.mandate_id,
            "agreement_id": agreement.id,
            "row_no": no,
            "amount_minor": row.principal_minor + row.interest_minor + row.fee_minor,
        }

    def run(
        self,
        members: Sequence[Mapping[str, Any]],
        *,
        kind: KindName = KindName.AUTO_DEBIT,
        excluded: int = 0,
        stage: RunStage = RunStage.EXECUTING,
        settings: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> str:
        """A run whose cohort is frozen; the last `excluded` members are left out."""
        token, now = new_case_token(TENANT), self.clock()
        cohort = named_token("bco", token)
        ordered = sorted(members, key=lambda each: str(each["claim_key"]))
        included = ordered[: len(ordered) - excluded]

        def write(session: Session) -> None:
            run = BatchRun(
                token=token, tenant=TENANT, branch="sh-01", kind=kind, origin="staff", source="book", request_key=token,
                business_date=START, stage=stage,
                settings={"failureBps": 10_000, "chunkRows": 5} | dict(settings or {}),
                created_by="stf_1", created_by_person="prs_1", created_at=now, updated_at=now, **columns,
            )  # fmt: skip
            session.add(run)
            session.flush()
            row = BatchCohort(
                id=cohort, tenant=TENANT, run=token, kind=kind, members=len(included), excluded=excluded,
                amount_minor=sum(each["amount_minor"] for each in included), created_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            for number, each in enumerate(ordered, start=1):
                state = "included" if number <= len(included) else "excluded"
                session.add(BatchMember(cohort=cohort, number=number, tenant=TENANT, state=state, **each))
            session.flush()
            row.frozen_at, row.cohort_hash = now, "c" * 64
            session.add(row)

        self.book.change(write)
        return token

    def file_rows(self, token: str, count: int) -> None:
        """An import with this many accepted rows, for a run that was made."""
        now, import_id = self.clock(), named_token("bim", token)

        def write(session: Session) -> None:
            session.add(
                BatchImport(
                    id=import_id, tenant=TENANT, run=token, layout="-", layout_version="1", file_name="-", digest=token,
                    size_bytes=1, read_rows=count, created_at=now,
                )
            )  # fmt: skip
            session.flush()
            for number in range(1, count + 1):
                session.add(
                    BatchRow(
                        import_id=import_id, number=number, tenant=TENANT, line=number, row_cell=b"-",
                        subject_id=named_token("sub", f"{token}/{number}"), state="accepted",
                    )
                )  # fmt: skip

        self.book.change(write)

    # -- steps

    def plan(self, token: str) -> int:
        return self.executor().plan_chunks(RunStep(run=token)).chunks

    def chunk(self, token: str, number: int, holder: str = "one") -> ChunkDone:
        return self.executor(holder).execute_chunk(ChunkStep(run=token, chunk=number))

    def execute(self, token: str) -> list[ChunkDone]:
        return [self.chunk(token, number) for number in range(1, self.plan(token) + 1)]

    def rehearse(self, token: str) -> Rehearsed:
        self.walk(self.rules().rehearse, token)
        return self.rules().sum_rehearsal(RunStep(run=token))

    def walk(self, step: Callable[[PartStep], PartDone], token: str) -> int:
        after, rows = "", 0
        while True:
            done = step(PartStep(run=token, after=after))
            rows += done.rows
            if done.after is None:
                return rows
            after = done.after

    def set_run(self, token: str, **values: Any) -> None:
        def write(session: Session) -> None:
            run = session.get_one(BatchRun, token)
            for name, value in values.items():
                setattr(run, name, value)
            session.add(run)

        self.book.change(write)

    # -- what the records say

    def of_run(self, token: str) -> BatchRun:
        with self.database.read() as session:
            return session.get_one(BatchRun, token)

    def orders(self, token: str) -> list[BatchOrder]:
        found = self.book.all(BatchOrder, col(BatchOrder.run) == token)
        return sorted(found, key=lambda each: each.member)

    def chunks(self, token: str) -> list[BatchChunk]:
        return sorted(self.book.all(BatchChunk, col(BatchChunk.run) == token), key=lambda each: each.number)

    def expected(self, token: str) -> list[BatchRehearsal]:
        return sorted(self.book.all(BatchRehearsal, col(BatchRehearsal.run) == token), key=lambda each: each.member)

    def assert_conserved(self, token: str, *, ended: bool = True) -> Counter[str]:
        """members = orders + barred (+ withdrawn) + excluded; one outcome for each; chunks agree to the cent."""
        with self.database.read() as session:
            cohort = session.exec(select(BatchCohort).where(col(BatchCohort.run) == token)).one()
            members = session.exec(select(BatchMember).where(col(BatchMember.cohort) == cohort.id)).all()
            outcomes = session.exec(select(BatchOutcome).where(col(BatchOutcome.run) == token)).all()
        orders, chunks = self.orders(token), self.chunks(token)
        ends = Counter(each.final_state or "order" for each in orders)
        by_member = Counter(each.member for each in orders)
        assert set(by_member.values()) <= {1}
        included = {each.number for each in members if each.state == "included"}
        assert set(by_member) <= included
        if ended:
            assert set(by_member) == included
            assert len(members) == sum(ends.values()) + cohort.excluded
        assert all(each.reason_code for each in orders if each.final_state in _LOST)
        assert {each.order_id for each in outcomes} == {each.id for each in orders}
        done = [each for each in chunks if each.state == "done"]
        assert not any(each.holder or each.lease_until for each in done)
        live = [each for each in orders if each.final_state not in _LOST or _was_live(each, outcomes)]
        assert sum(each.amount_minor for each in live) == sum(each.amount_minor for each in done)
        assert len(live) == sum(each.orders for each in done)
        return ends


def _was_live(order: BatchOrder, outcomes: Sequence[BatchOutcome]) -> bool:
    return any(each.order_id == order.id and each.state == "queued" for each in outcomes)
