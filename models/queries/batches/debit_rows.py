"""What is on record about rows of a debit run (批量扣款), read for a chunk at once, and the facts for its gate.

A claim rests on an agreement's row, or on what a file or a fee says. The mandate is looked up anew each time: it is the
one of the very row (逐笔核对授权), as it stands when the run reaches it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session, col, func, or_, select

from models.domain.batches.claims import claim_of_row
from models.domain.batches.states import DisputeState
from models.domain.batches.states import OrderState as BatchState
from models.domain.daily import OPEN_ORDERS, OrderState
from models.domain.rule_words import MandateStatus
from models.queries.batches.own_orders import not_of_daily_run
from models.queries.debit_facts import RowKey, standing_of
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.batch_books import BatchDispute
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import DebitOrder, Ticket

_DISPUTE = "dispute"
# What an order of today takes under its mandate, whether or not the bank has answered.
_TAKES = (BatchState.QUEUED, BatchState.IN_FILE, BatchState.SENT, BatchState.ACCEPTED, BatchState.SETTLED)
_NO_BASIS = "none"


@dataclass(slots=True)
class DebitBooks:
    """What stands in the books about a chunk's members.

    Attributes:
        by_case: agreements by the case that they and their mandate belong to.
        opened: orders without an end, by claim; `settled` those that were paid, and `paid_minor` their sum.
        today: minor units that orders of the day take under each mandate; whoever judges adds to it row by row.
        disputed: cases and mandates with an open dispute.
    """

    mandates: Mapping[str, Mandate]
    by_case: Mapping[str, Agreement]
    rows: Mapping[RowKey, AgreementRow]
    opened: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    paid_minor: Counter[str] = field(default_factory=Counter)
    today: dict[str, int] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)

    def agreement_of(self, member: BatchMember) -> Agreement | None:
        """The agreement that the claim rests on, or that its mandate was given with."""
        mandate = self.mandates.get(member.mandate_id or "")
        found = self.by_case.get(mandate.case_token) if mandate is not None else None
        if member.agreement_id is not None and (found is None or found.id != member.agreement_id):
            return next((each for each in self.by_case.values() if each.id == member.agreement_id), None)
        return found

    def row_of(self, member: BatchMember) -> AgreementRow | None:
        """The agreement's row that is collected; None for a claim of another kind."""
        if member.agreement_id is None or member.row_no is None:
            return None
        return self.rows.get((member.agreement_id, member.row_no))


def debit_books(session: Session, run: BatchRun, members: Sequence[BatchMember], *, on: date, lock: bool) -> DebitBooks:
    """Read what the judgement of these members rests on.

    Args:
        session: of the transaction that makes the orders, or of one that only rehearses.
        run: whose tenant's books.
        members: of one chunk.
        on: business date: orders of the day count towards the limits of a mandate.
        lock: keep the agreements as they are until the transaction ends.
    """
    mandates = _by_id(session, Mandate, {each.mandate_id for each in members if each.mandate_id is not None})
    ids = {each.agreement_id for each in members if each.agreement_id is not None}
    cases = {each.case_token for each in mandates.values()}
    query = (
        select(Agreement)
        .where(or_(col(Agreement.id).in_(ids), col(Agreement.case_token).in_(cases)))
        .order_by(col(Agreement.id))
    )
    agreements = session.exec(query.with_for_update() if lock else query).all()
    rows = session.exec(
        select(AgreementRow).where(
            col(AgreementRow.agreement_id).in_(ids),
            col(AgreementRow.no).in_({each.row_no for each in members if each.row_no is not None}),
        )
    ).all()
    books = DebitBooks(
        mandates=mandates,
        by_case={each.case_token: each for each in agreements},
        rows={(row.agreement_id, row.no): row for row in rows},
    )
    _count_batch_orders(session, run, books, [each.claim_key for each in members])
    _count_daily_orders(session, books, ids)
    _count_today(session, run, books, on=on)
    cases |= set(books.by_case)
    books.disputed = _disputed(session, cases, mandates)
    return books


def debit_row_facts(
    books: DebitBooks,
    run: BatchRun,
    member: BatchMember,
    *,
    amount_minor: int,
    due_minor: int,
    on: date,
    collected: date,
) -> dict[str, object]:
    """The facts about one row, under the names of the rules; what is not on record is left out, and blocks.

    Args:
        books: of its chunk.
        run: that reaches the row.
        member: the row.
        amount_minor: what the order would take.
        due_minor: what is due now.
        on: business date.
        collected: bank day on which the bank will take it.
    """
    agreement, mandate = books.agreement_of(member), books.mandates.get(member.mandate_id or "")
    key = member.claim_key
    facts: dict[str, object] = {
        "debit_payee": run.tenant,
        "debit_on": collected,
        "row_paid": due_minor == 0,
        "debit_amount_minor": amount_minor,
        "due_now_minor": due_minor,
        "orders_settled": books.settled[key],
        "orders_open": books.opened[key],
    }
    if agreement is not None:
        facts["agreement_status"] = standing_of(agreement.status)
    if mandate is None:
        return facts
    stands = mandate.revoked_at is None and mandate.signed_on <= on <= mandate.valid_to
    # A row of a file has a subject of its own: it names the mandate, and the mandate says whose account it is.
    payer = agreement.subject_id if member.agreement_id and agreement else member.subject_id
    payer = mandate.subject_id if member.import_line is not None else payer
    return facts | {
        "debit_basis": "mandate" if stands else _NO_BASIS,
        "debit_account_kind": mandate.account_kind,
        "debit_account": f"{payer}/{member.mandate_id}",
        "mandate_account": f"{mandate.subject_id}/{mandate.id}",
        "mandate_payee": mandate.tenant,
        "mandate_status": (MandateStatus.REVOKED if mandate.revoked_at else MandateStatus.ACTIVE).value,
        "mandate_given_on": mandate.signed_on,
        "mandate_valid_to": mandate.valid_to,
        "mandate_limit_minor": mandate.limit_minor,
        # The mandate states one figure (单笔限额) and no other: it holds for the orders of a day together.
        "mandate_day_limit_minor": mandate.limit_minor,
        "debited_today_minor": books.today.get(mandate.id, 0),
        # The procedure stands in the agreement that the mandate was given with.
        "offset_procedure_agreed": agreement is not None and mandate.case_token == agreement.case_token,
        "account_disputed": mandate.id in books.disputed or mandate.case_token in books.disputed,
    }


def _by_id(session: Session, table: type[Mandate], ids: Collection[str]) -> dict[str, Mandate]:
    return {each.id: each for each in session.exec(select(table).where(col(table.id).in_(ids))).all()}


def _count_batch_orders(session: Session, run: BatchRun, books: DebitBooks, keys: Collection[str]) -> None:
    found = session.exec(
        select(BatchOrder.claim_key, BatchOrder.state, BatchOrder.final_state, BatchOrder.amount_minor).where(
            col(BatchOrder.tenant) == run.tenant, col(BatchOrder.claim_key).in_(keys)
        )
    ).all()
    for key, state, final_state, amount in found:
        if state == BatchState.SETTLED:
            books.settled[key] += 1
            books.paid_minor[key] += amount
        elif final_state is None:
            books.opened[key] += 1


def _count_daily_orders(session: Session, books: DebitBooks, agreement_ids: Collection[str]) -> None:
    """Orders of the daily run that no batch accounts for."""
    found = session.exec(
        select(DebitOrder.agreement_id, DebitOrder.row_no, DebitOrder.state)
        .outerjoin(BatchOrder, col(BatchOrder.debit_order) == col(DebitOrder.id))
        .where(
            col(DebitOrder.agreement_id).in_(agreement_ids),
            col(DebitOrder.state).in_((*OPEN_ORDERS, OrderState.SETTLED)),
            col(BatchOrder.id).is_(None),
        )
    ).all()
    for agreement_id, row_no, state in found:
        counted = books.settled if state == OrderState.SETTLED else books.opened
        counted[claim_of_row(agreement_id, row_no)] += 1


def _count_today(session: Session, run: BatchRun, books: DebitBooks, *, on: date) -> None:
    batch = (
        select(BatchOrder.mandate_id, func.sum(BatchOrder.amount_minor))
        .where(
            col(BatchOrder.tenant) == run.tenant,
            col(BatchOrder.mandate_id).in_(books.mandates),
            col(BatchOrder.requested_on) >= on,
            col(BatchOrder.state).in_(_TAKES),
            not_of_daily_run(),
        )
        .group_by(col(BatchOrder.mandate_id))
        .with_hint(BatchOrder, "INDEXED BY ix_batch_orders_mandate", "sqlite")  # else all orders, for each chunk
    )
    daily = (
        select(DebitOrder.mandate_id, func.sum(DebitOrder.amount_minor))
        .where(
            col(DebitOrder.mandate_id).in_(books.mandates),
            col(DebitOrder.requested_on) == on,
            col(DebitOrder.state).in_((*OPEN_ORDERS, OrderState.SETTLED)),
        )
        .group_by(col(DebitOrder.mandate_id))
    )
    for query in (batch, daily):
        for mandate, total in session.exec(query).all():
            if mandate is not None:
                books.today[mandate] = books.today.get(mandate, 0) + int(total)


def _disputed(session: Session, cases: Collection[str], mandates: Collection[str]) -> set[str]:
    tickets = session.exec(
        select(Ticket.case_token).where(
            col(Ticket.case_token).in_(cases), func.lower(col(Ticket.kind)) == _DISPUTE, col(Ticket.state) == "OPEN"
        )
    ).all()
    contested = session.exec(
        select(BatchDispute.mandate_id).where(
            col(BatchDispute.mandate_id).in_(mandates), col(BatchDispute.state) == DisputeState.OPEN
        )
    ).all()
    return {*tickets, *(each for each in contested if each is not None)}
