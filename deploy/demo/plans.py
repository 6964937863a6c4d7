"""What the demo's sixty cases will live through: one plan each, so that every end and every detour is seen."""

from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.book import BookRow
from models.domain.states import Outcome, TaskType

# A share of the requested amount that the counter-offer grants, in hundredths.
_COUNTER_PERCENT: Final = 70
_CONCESSION_BPS: Final = 200
_REOFFER_BPS: Final = 350
# Per outcome that names terms: hundredths of what was asked for, and basis points given up.
_TERMS: Final = {
    Outcome.RECOMMEND: (100, _CONCESSION_BPS),
    Outcome.REOFFER: (100, _REOFFER_BPS),
    Outcome.COUNTER: (_COUNTER_PERCENT, _CONCESSION_BPS),
}
# Not an outcome of a case: it has reached service, where only time and money move it.
IN_SERVICE: Final = "in-service"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One life.

    Attributes:
        name: for the table of what happened.
        end: the outcome it must come to, or `in-service`.
        answers: per kind of task what is decided, in order; the last one is repeated.
        by_link: the customer applies through a signed link, and consents electronically: written consent comes later.
        notice_late: … and nobody has given them the notice about personal data before the officer does.
        evidence_late: hardship evidence comes only after the assessor has sent the case back.
        withdraw_at: the kind of task at which the case is withdrawn.
        withdraw_by_link: … by the customer, through a progress link.
        willing: whether the applicant is willing to repay; without that no plan may be recommended.
    """

    name: str
    end: str
    answers: dict[TaskType, list[dict[str, Any]]] = field(default_factory=dict)
    by_link: bool = False
    notice_late: bool = False
    evidence_late: bool = False
    withdraw_at: TaskType | None = None
    withdraw_by_link: bool = False
    willing: bool = True


ACCEPT: Final = {"outcome": Outcome.ACCEPT}
APPROVE: Final = {"outcome": Outcome.APPROVE}
CHOOSE: Final = {"outcome": Outcome.CHOOSE}
CONFIRM: Final = {"outcome": Outcome.CONFIRM}
COUNTER: Final = {"outcome": Outcome.COUNTER}
PAPER: Final = {"outcome": Outcome.PAPER}
RECOMMEND: Final = {"outcome": Outcome.RECOMMEND}
REOFFER: Final = {"outcome": Outcome.REOFFER}
RESEND: Final = {"outcome": Outcome.RESEND}
SIGN: Final = {"outcome": Outcome.SIGN}
_USUAL: Final = {
    TaskType.DOCUMENTS: [ACCEPT],
    TaskType.ASSESSMENT: [RECOMMEND],
    TaskType.NEGOTIATION: [CHOOSE],
    TaskType.APPROVAL: [APPROVE],
    TaskType.SIGNING: [SIGN],
}


def _refuse(outcome: Outcome, reason: str) -> dict[str, Any]:
    return {"outcome": outcome, "reasonCode": reason}


_SIGNED: Final = Plan(name="signed by the customer", end=IN_SERVICE, answers=_USUAL)
_BY_LINK: Final = Plan(
    name="applied by link, consent and notice later", end=IN_SERVICE, answers=_USUAL, by_link=True, notice_late=True
)
_RETURNED: Final = Plan(
    name="returned by the approver, then approved",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.APPROVAL: [_refuse(Outcome.RETURN, "terms-unsuitable"), APPROVE]},
)
_LATE: Final = Plan(
    name="blocked by CCM-70a until evidence came",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.ASSESSMENT: [_refuse(Outcome.RETURN, "documents-unclear"), RECOMMEND]},
    evidence_late=True,
)
_COUNTERED: Final = Plan(
    name="counter-offer taken",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.APPROVAL: [COUNTER, APPROVE], TaskType.COUNTER_OFFER: [ACCEPT]},
)
_REOFFERED: Final = Plan(
    name="talked about other terms",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.NEGOTIATION: [REOFFER, CHOOSE]},
)
_REASSESSED: Final = Plan(
    name="back from the talks to the assessor",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.NEGOTIATION: [_refuse(Outcome.RETURN, "figures-contradict"), CHOOSE]},
)
_RESENT: Final = Plan(
    name="signed through a second link", end=IN_SERVICE, answers=_USUAL | {TaskType.SIGNING: [RESEND, SIGN]}
)
_ON_PAPER: Final = Plan(
    name="signed on paper",
    end=IN_SERVICE,
    answers=_USUAL | {TaskType.SIGNING: [PAPER], TaskType.PAPER_CHECK: [CONFIRM]},
)
_PAPER_AGAIN: Final = Plan(
    name="signed on paper, the first scan unreadable",
    end=IN_SERVICE,
    answers=_USUAL
    | {TaskType.SIGNING: [PAPER], TaskType.PAPER_CHECK: [_refuse(Outcome.RETURN, "not-readable"), CONFIRM]},
)
_NOT_SIGNED: Final = Plan(
    name="approved, but not signed",
    end="cancelled",
    answers=_USUAL | {TaskType.SIGNING: [_refuse(Outcome.DECLINE, "prefers-other-plan")]},
)
_DECLINED: Final = Plan(
    name="counter-offer declined",
    end="withdrawn",
    answers=_USUAL
    | {TaskType.APPROVAL: [COUNTER], TaskType.COUNTER_OFFER: [_refuse(Outcome.DECLINE, "installment-too-high")]},
)
_NO_DOCUMENTS: Final = Plan(
    name="rejected for want of documents",
    end="rejected",
    answers={TaskType.DOCUMENTS: [_refuse(Outcome.REJECT, "documents-missing")]},
)
_UNWILLING: Final = Plan(
    name="blocked by CCM-70a: not willing to repay",
    end="rejected",
    answers=_USUAL | {TaskType.ASSESSMENT: [_refuse(Outcome.REJECT, "not-willing-to-repay")]},
    willing=False,
)
_NO_PLAN: Final = Plan(
    name="no plan could be agreed on",
    end="rejected",
    answers=_USUAL | {TaskType.NEGOTIATION: [_refuse(Outcome.REJECT, "capacity-too-low")]},
)
_REJECTED: Final = Plan(
    name="rejected by the approver",
    end="rejected",
    answers=_USUAL | {TaskType.APPROVAL: [_refuse(Outcome.REJECT, "outside-policy")]},
)
_WITHDRAWN: Final = Plan(name="withdrawn by staff", end="withdrawn", answers=_USUAL, withdraw_at=TaskType.APPROVAL)
_WITHDRAWN_LATE: Final = Plan(
    name="withdrawn while it waited for the signature", end="withdrawn", answers=_USUAL, withdraw_at=TaskType.SIGNING
)
_WITHDRAWN_BY_LINK: Final = Plan(
    name="withdrawn by the customer",
    end="withdrawn",
    answers=_USUAL,
    withdraw_at=TaskType.ASSESSMENT,
    withdraw_by_link=True,
)

PLANS: Final[tuple[tuple[Plan, int], ...]] = (
    (_SIGNED, 14),
    (_BY_LINK, 5),
    (_RETURNED, 3),
    (_LATE, 4),
    (_COUNTERED, 5),
    (_REOFFERED, 2),
    (_REASSESSED, 1),
    (_RESENT, 2),
    (_ON_PAPER, 2),
    (_PAPER_AGAIN, 1),
    (_NOT_SIGNED, 3),
    (_DECLINED, 3),
    (_NO_DOCUMENTS, 3),
    (_UNWILLING, 3),
    (_NO_PLAN, 1),
    (_REJECTED, 2),
    (_WITHDRAWN, 2),
    (_WITHDRAWN_LATE, 1),
    (_WITHDRAWN_BY_LINK, 3),
)
CASES: Final = sum(count for _, count in PLANS)


def cast(book: list[BookRow]) -> list[tuple[Plan, BookRow]]:
    """Give each plan a customer of the book whose facts fit it.

    Raises:
        LookupError: the book is too small.
    """
    willing = (row for row in book if row.willing_to_repay and _in_hardship(row))
    unwilling = (row for row in book if not row.willing_to_repay and _in_hardship(row))
    roles: list[tuple[Plan, BookRow]] = []
    for plan, count in PLANS:
        for _ in range(count):
            row = next(willing if plan.willing else unwilling, None)
            if row is None:
                raise LookupError("the book is too small for the demo")
            roles.append((plan, row))
    return roles


def terms_of(answer: dict[str, Any], row: BookRow, *, months: int | None = None) -> dict[str, int]:
    """The terms that go with a recommendation, another round of plans, or a counter-offer.

    Args:
        answer: the form's outcome.
        row: what the customer asks for.
        months: the term, where the course of the life sets it.
    """
    if answer["outcome"] not in _TERMS:
        return {}
    percent, concession_bps = _TERMS[answer["outcome"]]
    return {
        "amountMinor": row.requested_amount_minor * percent // 100,
        "termMonths": months or row.requested_term_months,
        "concessionBps": concession_bps,
    }


def _in_hardship(row: BookRow) -> bool:
    """A month's income below the whole debt: then no capacity can reach it (Art. 70)."""
    return row.monthly_income_minor < row.total_due_minor
