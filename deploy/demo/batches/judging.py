"""What must hold when the demo's batches are over. Each check reads what an auditor would read."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session, col, func, select

from deploy.demo.batches import calls
from deploy.demo.batches.casting import HELD, Cast, Debited, Waged
from deploy.demo.batches.course import Course
from deploy.demo.batches.desk import Desk
from deploy.demo.batches.files import BatchFile
from deploy.demo.book import BookRow
from deploy.demo.canary import files_below, search
from deploy.demo.checks import Check, verify_log
from models.domain.batches.exclusions import Exclusion
from models.domain.batches.postings import BatchAccount
from models.domain.batches.states import FinalState, OrderState, RowState, RunOutcome
from models.domain.states import TaskType
from models.tables.batch_books import BatchEntry
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder

_MOST_SEARCHED: Final = 200  # people of each file whom the canary looks for
_HITS_SHOWN: Final = 3
_KEPT_OUT: Final = {
    Debited.STRANGER: Exclusion.NO_MANDATE,
    Debited.REVOKED: Exclusion.MANDATE_REVOKED,
    Debited.ABOVE: Exclusion.ABOVE_LIMIT,
}
_NEVER_LEFT: Final = (FinalState.BARRED, FinalState.WITHDRAWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Where the checks look.

    Attributes:
        told: both runs as the API tells them at the end.
        balance_minor: what lies on the bank's account in the end.
    """

    desk: Desk
    course: Course
    cast: Cast
    data: Path
    files: tuple[BatchFile, BatchFile]
    told: dict[str, dict[str, Any]]
    balance_minor: int

    def read(self, query: Callable[[Session], Any]) -> Any:
        """One look at the records."""
        with self.course.database.read() as session:
            return query(session)

    def orders(self, run: str) -> list[BatchOrder]:
        """All orders of a run, every try."""
        found: list[BatchOrder] = self.read(
            lambda session: session.exec(select(BatchOrder).where(col(BatchOrder.run) == run)).all()
        )
        return found

    def reconciled(self, run: str) -> dict[str, Any]:
        """What the reconciliation of a run found."""
        figures: dict[str, Any] = self.told[run]["counts"].get("reconciled", {})
        return figures


async def both_were_completed(judged: Judged) -> Check:
    """Both runs were closed by a person, and nothing was stopped."""
    ends = {told["kind"]: told["outcome"] for told in judged.told.values()}
    holds = set(ends.values()) == {RunOutcome.COMPLETED.value}
    return Check(name="both batches were completed", holds=holds, seen=str(ends))


async def every_order_has_its_end(judged: Judged) -> Check:
    """Each order, each try counted, has the one end that its row was cast for."""
    wages, debits = _ends(judged, judged.course.wages), _ends(judged, judged.course.debits)
    holds = debits == judged.cast.planned_debits() and wages == judged.cast.planned_wages()
    return Check(
        name="every order has the one end that was planned",
        holds=holds,
        seen=f"debits {_counts(debits)}; wages {_counts(wages)}",
    )


async def faulty_rows_are_held(judged: Judged) -> Check:
    """Rows that no order can come of are in quarantine or kept out of the cohort, each with its reason."""
    cast = judged.cast
    held = Counter(
        {
            judged.course.debits: sum(each.part is Debited.UNREADABLE for each in cast.debtors),
            judged.course.wages: sum(each.part in HELD for each in cast.workers),
        }
    )
    rejected = Counter(dict(judged.read(_rejected_rows)))
    planned = Counter(_KEPT_OUT[each.part].value for each in cast.debtors if each.part in _KEPT_OUT)
    excluded = Counter(dict(judged.read(_excluded)))
    seen = f"{sum(rejected.values())} rows rejected, kept out: {_counts(excluded)}"
    return Check(
        name="faulty rows are held with their reason", holds=rejected == held and excluded == planned, seen=seen
    )


async def each_order_once_at_the_bank(judged: Judged) -> Check:
    """What the bank took and paid is what our orders say, each under its own id once, to the cent."""
    bank, course = judged.course.bank, judged.course
    debits = {
        each.debit.end_to_end_id: (each.debit.amount_minor, each.booked, each.returned) for each in bank.entries()
    }
    wages = {each.end_to_end_id: (each.amount_minor, each.booked, each.returned) for each in bank.bank.payments()}
    read = len(bank.entries()) + len(bank.bank.payments())
    ours = {run: _as_the_bank_has_it(judged.orders(run)) for run in course.runs}
    holds = (
        bool(debits) and read == len(debits) + len(wages)
        and debits == ours[course.debits] and wages == ours[course.wages]
    )  # fmt: skip
    seen = f"{len(debits)} debits and {len(wages)} wages at the bank"
    return Check(name="each order stands once at the bank", holds=holds, seen=seen)


async def refusals_were_tried_again(judged: Judged) -> Check:
    """Where money was missing the debit was presented again under the policy; no other refusal was."""
    orders = judged.orders(judged.course.debits)
    again = [each for each in orders if each.attempt > 1]
    parts = Counter(each.part for each in judged.cast.debtors)
    planned = parts[Debited.NO_MONEY_ONCE] + 2 * parts[Debited.NO_MONEY]
    paid = sum(each.final_state == FinalState.SETTLED for each in again)
    holds = len(again) == planned and paid == parts[Debited.NO_MONEY_ONCE]
    return Check(name="refusals were tried again", holds=holds, seen=f"{len(again)} retries, {paid} of them paid")


async def it_reconciles_to_the_cent(judged: Judged) -> Check:
    """Orders, files, books and statement of both runs agree; nothing differs and nothing waits."""
    found = [judged.reconciled(run) for run in judged.course.runs]
    holds = all(
        each and not each["differs"] and not each["waiting"] and each["bookedMinor"] == each["statementMinor"]
        for each in found
    )
    seen = "; ".join(f"{each.get('orders')} orders, settled {each.get('settledMinor')}" for each in found)
    return Check(name="both batches reconcile to the cent", holds=holds, seen=seen)


async def the_account_is_our_clearing(judged: Judged) -> Check:
    """The books add up to zero, posting by posting, and the bank's account holds what they say."""
    clearing = judged.read(_clearing)
    unbalanced = judged.read(_unbalanced)
    holds = unbalanced == 0 and clearing == judged.balance_minor
    seen = f"clearing {clearing}, account {judged.balance_minor}, {unbalanced} postings off"
    return Check(name="the bank's account is our clearing", holds=holds, seen=seen)


async def two_persons_decided(judged: Judged) -> Check:
    """Who began a run neither approved nor closed it."""
    wanted = [f"{kind}/{run}" for kind in (TaskType.BATCH_APPROVAL, TaskType.BATCH_CLOSE) for run in judged.course.runs]
    decided = [judged.desk.deciders.get(name) for name in wanted]
    holds = None not in decided and judged.desk.maker.login not in decided
    return Check(name="a second person approved and closed", holds=holds, seen=_counts(judged.desk.seen))


async def the_reports_can_be_read(judged: Judged) -> Check:
    """Each run's report is there in both languages, as a page and as PDF."""
    sizes = []
    for run in judged.course.runs:
        for form, beginning in (("html", b"<!"), ("pdf", b"%PDF")):
            for language in ("zh-CN", "en"):
                content = await calls.report(judged.desk.checker, run, form=form, language=language)
                sizes.append(len(content) if content.lstrip()[:4].lower().startswith(beginning.lower()) else 0)
    return Check(name="the reports read in both languages", holds=all(sizes), seen=f"{sizes} bytes")


async def audit_log_verifies(judged: Judged) -> Check:
    """The log proves itself."""
    return verify_log(judged.data)


async def the_canary_can_sing(judged: Judged) -> Check:
    """The search over the files themselves finds everybody: one that finds nothing anywhere proves nothing."""
    people = _people(judged)
    found = {hit.row for hit in search(files_below(*(each.path for each in judged.files)), people)}
    holds = found == {person.row for person in people}
    return Check(name="the canary finds the people of the files", holds=holds, seen=f"{len(found)} of {len(people)}")


async def nobody_stands_in_clear(judged: Judged) -> Check:
    """Nobody of either file in data directory, logs or errors."""
    people = _people(judged)
    problems = [(f"problem {n}", content) for n, content in enumerate(judged.desk.checker.line.problems)]
    texts = [*files_below(judged.data), *problems]
    hits = search(texts, people)
    where = "; ".join(f"{hit.field} of row {hit.row} in {hit.where}" for hit in hits[:_HITS_SHOWN])
    seen = where or f"{len(people)} people in {len(texts)} files and errors, 0 hits"
    return Check(name="nobody of the two files stands in clear", holds=not hits, seen=seen)


CHECKS: Final[tuple[Callable[[Judged], Awaitable[Check]], ...]] = (
    both_were_completed,
    faulty_rows_are_held,
    every_order_has_its_end,
    refusals_were_tried_again,
    each_order_once_at_the_bank,
    it_reconciles_to_the_cent,
    the_account_is_our_clearing,
    two_persons_decided,
    the_reports_can_be_read,
    audit_log_verifies,
    the_canary_can_sing,
    nobody_stands_in_clear,
)


def _ends(judged: Judged, run: str) -> Counter[str]:
    return Counter(str(each.final_state) for each in judged.orders(run))


def _as_the_bank_has_it(orders: list[BatchOrder]) -> dict[str, tuple[int, bool, bool]]:
    """Amount, whether it was booked, and whether it went back, by the id that the bank knows."""
    return {
        each.end_to_end_id or "": (
            each.amount_minor,
            each.settled_on is not None,
            each.state == OrderState.RETURNED,
        )
        for each in orders
        if each.final_state not in _NEVER_LEFT
    }


def _rejected_rows(session: Session) -> list[tuple[str, int]]:
    return list(
        session.exec(
            select(BatchImport.run, func.count())
            .join(BatchRow, col(BatchRow.import_id) == col(BatchImport.id))
            .where(col(BatchRow.state) == RowState.REJECTED.value)
            .group_by(col(BatchImport.run))
        ).all()
    )


def _excluded(session: Session) -> list[tuple[str, int]]:
    found = session.exec(
        select(BatchMember.exclusion, func.count())
        .join(BatchCohort, col(BatchCohort.id) == col(BatchMember.cohort))
        .where(col(BatchMember.exclusion).is_not(None))
        .group_by(col(BatchMember.exclusion))
    ).all()
    return [(str(code), int(rows)) for code, rows in found]


def _clearing(session: Session) -> int:
    of_account = col(BatchEntry.account) == BatchAccount.CLEARING.value
    return int(session.exec(select(func.coalesce(func.sum(BatchEntry.amount_minor), 0)).where(of_account)).one())


def _unbalanced(session: Session) -> int:
    total = func.sum(col(BatchEntry.amount_minor))
    return len(session.exec(select(BatchEntry.posting).group_by(col(BatchEntry.posting)).having(total != 0)).all())


def _people(judged: Judged) -> list["OnFile"]:
    """The first of each file whose number and account stand there as they are."""
    debtors = [each.person for each in judged.cast.debtors[:_MOST_SEARCHED]]
    workers = [each.person for each in judged.cast.workers if each.part is Waged.PAID][:_MOST_SEARCHED]
    return [OnFile.of(person) for person in (*debtors, *workers)]


@dataclass(frozen=True, kw_only=True, slots=True)
class OnFile:
    """What of a person stands in a file, or beside their mandate."""

    row: int
    name: str
    id_number: str
    mobile: str
    card_number: str
    email: str = ""
    address: str = ""
    employer: str = ""

    @classmethod
    def of(cls, person: BookRow) -> "OnFile":
        """The person as they are looked for."""
        return cls(
            row=person.row,
            name=person.name,
            id_number=person.id_number,
            mobile=person.mobile,
            card_number=person.card_number,
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
