"""Runs of batches over the records of a small bank (`tests.support.daybook`)."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlmodel import col

from activities.batches.cohort_steps import SqlCohort
from activities.batches.run_steps import SqlBatchRun
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import CohortFrozen, PartStep
from models.domain.assessments import BATCH_ACTIVITY, AssessmentState, Conclusion
from models.domain.batches.cohorts import cohort_id
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.layouts import FieldType
from models.domain.batches.rulesets.repayment import RepaymentRule
from models.domain.batches.rulesets.version import RuleSet
from models.domain.batches.states import RowState
from models.domain.schedules.rows import Row
from models.domain.tokens import new_token
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.four_eyes import By
from models.tables.agreements import Agreement
from models.tables.assessments import ImpactAssessment
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchLayout, BatchRow
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.batch_runs import BatchRun
from tests.support.daybook import START, TENANT, Daybook

MAKER: Final = By(tenant=TENANT, staff_id="stf_maker", person_id="prs_maker")
LONG_AGO: Final = START - timedelta(days=90)
# What no record can tell; a test that wants a gate shut takes one away.
STATED: Final[dict[str, Any]] = {
    "parties_screened": True,
    "listed_parties": 0,
    "abnormal_accounts": 0,
    "abnormal_accounts_checked": 0,
    "fraud_data_elsewhere": False,
    "recipient_contract": True,
    "recipient_supervised": True,
    "channel_encrypted": True,
    "backup_encrypted": True,
    "log_scan_hits": 0,
}


@dataclass
class BatchBooks:
    """A bank with runs of batches."""

    book: Daybook
    keys: list[int] = field(default_factory=list)

    def due(self, *amounts: int, on: date = START, **mandate_facts: Any) -> Agreement:
        """An agreement with rows of these amounts, due a month apart, the last of them on a date."""
        rows = tuple(
            Row(
                no=no,
                due=on - timedelta(days=30 * (len(amounts) - no)),
                principal_minor=amount,
                interest_minor=0,
                fee_minor=0,
            )
            for no, amount in enumerate(amounts, start=1)
        )
        return self.book.agree(rows=rows, on=LONG_AGO, **mandate_facts)

    def begin(
        self,
        kind: KindName = KindName.AUTO_DEBIT,
        *,
        source: MemberSource = MemberSource.BOOK,
        criteria: dict[str, Any] | None = None,
        key: str | None = None,
        **given: Any,
    ) -> BatchRun:
        """A run in the records, as the edge begins it."""
        self.keys.append(1)
        new = NewRun(
            tenant=TENANT,
            branch="sh-01",
            kind=kind,
            origin=Origin.STAFF,
            source=source,
            request_key=key or f"key-{len(self.keys)}",
            business_date=START,
            by=MAKER,
            criteria={"stated": STATED} | (criteria or {}),
            **given,
        )
        with unit_of_work(self.book.database, self.deed("batch.created")) as unit:
            run, _ = begin_run(unit.session, new, now=self.book.clock())
            return run

    def choose(self, run: BatchRun, *, chunk: int = 500) -> list[BatchMember]:
        """Walk as the workflow does, until nothing more is found."""
        steps = SqlCohort(self.book.database, self.book.clock, chunk=chunk)
        after: str | None = ""
        while after is not None:
            done = steps.choose_members(PartStep(run=run.token, after=after))
            assert not done.paused
            after = done.after
        return self.members(run)

    def freeze(self, run: BatchRun) -> CohortFrozen:
        return SqlCohort(self.book.database, self.book.clock).freeze_cohort(RunStep(run=run.token))

    def steps(self) -> SqlBatchRun:
        return SqlBatchRun(self.book.database, self.book.clock)

    def members(self, run: BatchRun) -> list[BatchMember]:
        found = self.book.all(BatchMember, col(BatchMember.cohort) == cohort_id(run.token, run.revision))
        return sorted(found, key=lambda each: each.number)

    def cohort(self, run: BatchRun) -> BatchCohort:
        (found,) = self.book.all(BatchCohort, col(BatchCohort.run) == run.token)
        return found

    def row(self, run: BatchRun) -> BatchRun:
        with self.book.database.read() as session:
            return session.get_one(BatchRun, run.token, populate_existing=True)

    def change(self, table: type[Any], key: Any, **values: Any) -> None:
        """Somebody changes one record."""

        def act(session: Any) -> None:
            row = session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

        self.book.change(act)

    def rules(self, kind: KindName, name: str = "wages") -> None:
        """A rule set of the kind, with one version that is approved from the first business date on."""
        now, source = self.book.clock(), "the bank's own decision"
        rules = RuleSet(
            name=name,
            version=1,
            source=source,
            valid_from=START,
            repayment=(RepaymentRule(id="all", source=source),),
        )
        self.add(BatchRuleSet(id=f"brs_{name}", tenant=TENANT, name=name, kind=kind.value, created_at=now))
        self.add(
            BatchRuleVersion(
                rule_set=f"brs_{name}",
                number=1,
                tenant=TENANT,
                body=rules.as_record(),
                body_hash=rules.hash,
                valid_from=START,
                state="approved",
                made_by="stf_maker",
                made_by_person="prs_maker",
                decided_by="stf_other",
                decided_by_person="prs_other",
                created_at=now,
            )
        )

    def add(self, *rows: Any) -> None:
        for row in rows:
            self.book.change(lambda session, row=row: session.add(row))

    def assessed(self) -> None:
        """The impact assessment of batches is approved."""
        now = self.book.clock()
        self.add(
            ImpactAssessment(
                id=new_token("pia"),
                tenant=TENANT,
                activity=BATCH_ACTIVITY,
                triggers=["sensitive-data"],
                conclusion=Conclusion.PROCEED.value,
                content_hash="0" * 64,
                valid_until=START + timedelta(days=365),
                state=AssessmentState.APPROVED.value,
                made_by=["prs_x"],
                drafted_by="stf_x",
                approved_at=now - timedelta(days=1),
                kept_until=START + timedelta(days=2_000),
                created_at=now,
                updated_at=now,
            )
        )

    def client(self, *, to: date | None = None) -> tuple[str, str]:
        """A corporate client with a funding account."""
        now = self.book.clock()
        client, account = new_token("bcl"), new_token("fac")
        self.add(
            BatchClient(
                id=client,
                tenant=TENANT,
                code=client[-20:],
                name_cell=b"-",
                agreement_from=LONG_AGO,
                agreement_to=to,
                state="active",
                created_at=now,
            ),
            FundingAccount(
                id=account,
                tenant=TENANT,
                client=client,
                account_cell=b"-",
                account_kind="settlement",
                balance_minor=10**9,
                updated_at=now,
            ),
        )
        return client, account

    def imported(self, run: BatchRun, rows: list[tuple[int, RowState, bytes | None]]) -> str:
        """An import of the run that was read and judged: amount, where each row ended, and what names it."""
        now, taken = self.book.clock(), new_token("bim")
        layout = {"fields": {name.value: {"kind": name.value} for name in (FieldType.NAME, FieldType.ACCOUNT)}}
        if not self.book.all(BatchLayout):
            self.add(
                BatchLayout(
                    tenant=TENANT,
                    name="wages",
                    version="1",
                    body=layout,
                    body_hash="0" * 64,
                    made_by="stf_x",
                    created_at=now,
                )
            )
        self.add(
            BatchImport(
                id=taken,
                tenant=TENANT,
                run=run.token,
                layout="wages",
                layout_version="1",
                file_name=taken,
                digest=taken,
                size_bytes=1,
                created_at=now,
            ),
            *(
                BatchRow(
                    import_id=taken,
                    number=number,
                    tenant=TENANT,
                    line=number + 1,
                    subject_id=new_token("sub"),
                    row_cell=b"-",
                    amount_minor=amount,
                    natural_key=key,
                    state=state.value,
                )
                for number, (amount, state, key) in enumerate(rows, start=1)
            ),
        )
        return taken

    def deed(self, action: str) -> Deed:
        return Deed(tenant=TENANT, action=action, target="test", actor="stf_maker", at=self.book.clock())
