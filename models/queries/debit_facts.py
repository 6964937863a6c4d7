"""The facts that the gate before a debit asks about (扣款前合规检查), read for a whole chunk of orders at once.

When a reminder went out is the day in Shanghai on which it was sent, or put out to be sent: one that failed, or that
there was no way to send, told nobody. A customer who was told more than is taken now was told enough, so then the
amount in the reminder counts as the row's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, and_, col, func, or_, select

from models.domain.daily import OPEN_ORDERS, OrderState
from models.domain.notices import NoticeState
from models.domain.rule_words import AgreementStatus, MandateStatus, ReminderExemption
from models.domain.servicing.first_paid import first_paid_at
from models.domain.servicing.state import ENDED, Status
from models.domain.shanghai import shanghai_date
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.daily import DebitOrder
from models.tables.notices import Notice

RowKey = tuple[str, int]
_TOLD: Final = (NoticeState.QUEUED, NoticeState.SENT)
_STANDING: Final = {
    Status.PENDING: AgreementStatus.SIGNED,
    Status.DEFAULTED: AgreementStatus.IN_DEFAULT,
    Status.WRITTEN_OFF: AgreementStatus.IN_DEFAULT,
    **dict.fromkeys(ENDED, AgreementStatus.SETTLED),
}


def reminder_key(key: RowKey) -> str:
    """The business key of a row's reminder."""
    return f"remind/{key[0]}/{key[1]}"


def standing_of(status: str) -> str:
    """How the rules call the state of an agreement."""
    return _STANDING.get(Status(status), AgreementStatus.ACTIVE).value


@dataclass(frozen=True, slots=True)
class Reminder:
    """When a row's reminder went out, and the amount in it."""

    sent_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class DebitRecords:
    """What is on record about a chunk. `today` is what other orders take under a mandate on the same date."""

    reminders: Mapping[RowKey, Reminder]
    untold: Mapping[str, int]
    today: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedDebit:
    """One order that is to be made, and what it is made from.

    Attributes:
        unpaid_minor: what the row lacks now.
        earlier: orders for the row so far.
        collected_on: the bank day on which the bank will take it.
    """

    agreement: Agreement
    row: AgreementRow
    mandate: Mandate
    amount_minor: int
    unpaid_minor: int
    earlier: Sequence[DebitOrder]
    disputed: bool
    collected_on: date


def debit_records(session: Session, *, tenant: str, keys: Collection[RowKey], on: date) -> DebitRecords:
    """What the gate asks of the records, in three reads however many orders there are."""
    wanted = {reminder_key(key): key for key in keys}
    found = session.exec(
        select(Notice.business_key, Notice.params, Notice.sent_at, Notice.created_at).where(
            col(Notice.tenant) == tenant,
            col(Notice.business_key).in_(wanted),
            col(Notice.state).in_(_TOLD),
        )
    ).all()
    reminders = {
        wanted[key]: Reminder(shanghai_date(sent or created), int(params["amount"]))
        for key, params, sent, created in found
    }
    agreement_ids = sorted({agreement_id for agreement_id, _ in keys})
    return DebitRecords(reminders, _untold(session, agreement_ids), _today(session, agreement_ids, on=on))


def debit_facts(asked: AskedDebit, records: DebitRecords) -> dict[str, object]:
    """The facts about one order, under the names of `compliance.rules.installments.facts`.

    Raises:
        KeyError: the agreement's terms are not readable.
    """
    agreement, mandate, row = asked.agreement, asked.mandate, asked.row
    reminder = records.reminders.get((row.agreement_id, row.no))
    total = row.principal_minor + row.interest_minor + row.fee_minor
    facts: dict[str, object] = {
        "debit_account_kind": mandate.account_kind,
        "debit_account": f"{agreement.subject_id}/{agreement.mandate_id}",
        "mandate_account": f"{mandate.subject_id}/{mandate.id}",
        "debit_payee": agreement.tenant,
        "mandate_payee": mandate.tenant,
        "debit_on": asked.collected_on,
        "mandate_status": (MandateStatus.REVOKED if mandate.revoked_at else MandateStatus.ACTIVE).value,
        "mandate_given_on": mandate.signed_on,
        "mandate_valid_to": mandate.valid_to,
        "mandate_limit_minor": mandate.limit_minor,
        # The mandate states one figure (单笔限额) and no other: it holds for the orders of a day together.
        "mandate_day_limit_minor": mandate.limit_minor,
        "debited_today_minor": records.today.get(mandate.id, 0),
        # The procedure is Article 5 of the agreement that the mandate was given with.
        "offset_procedure_agreed": mandate.case_token == agreement.case_token,
        "debits_not_notified": records.untold.get(agreement.id, 0),
        "reminder_exemption": ReminderExemption.NONE.value,
        "row_due_on": row.due,
        "agreement_status": standing_of(agreement.status),
        "account_disputed": asked.disputed,
        "row_paid": asked.unpaid_minor == 0,
        "debit_amount_minor": asked.amount_minor,
        "due_now_minor": agreement.owed_minor,
        "orders_settled": sum(order.state == OrderState.SETTLED for order in asked.earlier),
        "orders_open": sum(order.state in OPEN_ORDERS for order in asked.earlier),
        "days_past_due": agreement.days_past_due,
    }
    first_paid = first_paid_at(agreement.days_past_due, allocation=agreement.terms["allocation"])
    if first_paid is not None:
        facts["first_paid"] = first_paid.value
    if reminder is not None:
        covers = reminder.amount_minor >= asked.unpaid_minor
        facts |= {
            "reminder_sent_on": reminder.sent_on,
            "reminder_amount_minor": reminder.amount_minor,
            "row_amount_minor": reminder.amount_minor if covers else total,
        }
    return facts


def _untold(session: Session, agreement_ids: Collection[str]) -> dict[str, int]:
    """Debits that came in and of which the customer was not told, by agreement."""
    told = and_(
        col(Notice.tenant) == col(DebitOrder.tenant),
        col(Notice.business_key) == "paid/" + col(DebitOrder.id),
        col(Notice.state).in_(_TOLD),
    )
    rows = session.exec(
        select(DebitOrder.agreement_id, func.count())
        .outerjoin(Notice, told)
        .where(
            col(DebitOrder.agreement_id).in_(agreement_ids),
            col(DebitOrder.state) == OrderState.SETTLED,
            col(Notice.id).is_(None),
        )
        .group_by(col(DebitOrder.agreement_id))
    ).all()
    return dict(rows)


def _today(session: Session, agreement_ids: Collection[str], *, on: date) -> dict[str, int]:
    """What orders of this date take under each mandate, settled or under way."""
    rows = session.exec(
        select(DebitOrder.mandate_id, func.sum(DebitOrder.amount_minor))
        .where(
            col(DebitOrder.agreement_id).in_(agreement_ids),
            col(DebitOrder.requested_on) == on,
            or_(col(DebitOrder.state).in_(OPEN_ORDERS), col(DebitOrder.state) == OrderState.SETTLED),
        )
        .group_by(col(DebitOrder.mandate_id))
    ).all()
    return {mandate: int(total) for mandate, total in rows}
