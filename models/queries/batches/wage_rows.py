"""What is on record about a payroll (代发工资), and the facts that the gate of each of its rows asks for."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session, col, func, select

from models.domain.batches.kinds import KindName
from models.domain.batches.states import RunOutcome
from models.domain.batches.wages import agreed_date, declared, kept_until, months_between
from models.domain.rule_words import AccountKind
from models.queries.batches.claim_books import ClaimBooks, claim_books
from models.tables.batch_clients import BatchClient, FundingAccount, FundingHold
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_runs import BatchRun


@dataclass(slots=True)
class WageBooks:
    """What holds for all rows of a payroll, and which of its claims have an order already.

    Attributes:
        of_run: facts that are the same for each row.
        said: fields of each row by its member's number, opened for this judgement only.
    """

    of_run: dict[str, object]
    said: Mapping[int, Mapping[str, str]] = field(repr=False)
    claims: ClaimBooks = field(default_factory=ClaimBooks)

    def facts_of(self, member: BatchMember) -> dict[str, object]:
        """The facts of one row; what neither the records nor the file say is left out, and blocks."""
        return {**self.of_run, **declared(self.said.get(member.number, {})), "wage_net_minor": member.amount_minor}


def wage_books(
    session: Session,
    run: BatchRun,
    members: Sequence[BatchMember],
    *,
    on: date,
    is_bank_day: Callable[[date], bool],
    said: Mapping[int, Mapping[str, str]],
) -> WageBooks:
    """Read what the judgement of these members rests on.

    Args:
        session: of the judgement's transaction.
        run: with its client and funding account.
        members: of one chunk.
        on: business date of the payment.
        is_bank_day: the tenant's calendar.
        said: fields of the rows in the client's file, by number of the member.
    """
    of_run = _of_run(session, run, on=on, is_bank_day=is_bank_day)
    return WageBooks(of_run, said, claim_books(session, run, members))


def _of_run(session: Session, run: BatchRun, *, on: date, is_bank_day: Callable[[date], bool]) -> dict[str, object]:
    facts: dict[str, object] = {
        "wage_paid_on": on,
        "wage_record_kept_until": kept_until(on),
        "wage_ledger_kept_until": kept_until(on),
        "wage_months_since_last": _months_since_last(session, run, on=on),
    }
    client = session.get(BatchClient, run.client) if run.client is not None else None
    if client is not None:
        facts |= {"migrant_workers": client.migrant_workers, "wage_project": client.wage_project}
        if client.agreed_day is not None:
            with suppress(LookupError):  # nobody knows: the rule says so
                facts["wage_working_day_on"] = agreed_date(on, client.agreed_day, is_bank_day=is_bank_day)
    account = session.get(FundingAccount, run.funding_account) if run.funding_account is not None else None
    if account is not None:
        facts |= {
            "wage_source_special": account.account_kind == AccountKind.WAGE_SPECIAL,
            "wage_funding_short": _free_minor(session, run, account) < _wanted_minor(session, run),
        }
    return facts


def _free_minor(session: Session, run: BatchRun, account: FundingAccount) -> int:
    """What the run may take: what nobody holds, and what it holds itself."""
    own = session.get(FundingHold, run.token)
    held = own.amount_minor if own is not None and own.state == "held" else 0
    return account.balance_minor - account.held_minor + held


def _wanted_minor(session: Session, run: BatchRun) -> int:
    found = session.exec(
        select(BatchCohort.amount_minor).where(
            col(BatchCohort.run) == run.token, col(BatchCohort.revision) == run.revision
        )
    ).first()
    return int(found or 0)


def _months_since_last(session: Session, run: BatchRun, *, on: date) -> int:
    last = session.exec(
        select(func.max(BatchRun.business_date)).where(
            col(BatchRun.tenant) == run.tenant,
            col(BatchRun.client) == run.client,
            col(BatchRun.kind) == KindName.PAYROLL,
            col(BatchRun.outcome) == RunOutcome.COMPLETED,
            col(BatchRun.token) != run.token,
        )
    ).one()
    return max(0, months_between(last, on)) if last is not None else 0
