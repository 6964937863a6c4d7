"""The closed sets of states of a batch: its run, orders, rows, chunks. Pure; workflow code may import it."""

from enum import StrEnum
from typing import Final


class RunStage(StrEnum):
    """Where a run stands. The order is the order of the work; which of them a kind has stands in its data."""

    COHORT = "cohort"  # 客群: choose or read, classify, exclude, freeze
    CLEANING = "cleaning"  # 数据清洗: read the file, validate, quarantine
    RULES = "rules"  # 规则集: bind the approved version
    REHEARSING = "rehearsing"  # 试运行: the same code path, effects off
    APPROVING = "approving"  # 复核
    EXECUTING = "executing"  # 执行: orders, chunk by chunk
    SENDING = "sending"  # 送盘
    AWAITING = "awaiting"  # 回盘, retries and late returns
    STOPPING = "stopping"  # cancelled after it had begun: what has not left the house is withdrawn
    RECONCILING = "reconciling"  # 对账
    REPORTING = "reporting"
    CLOSING = "closing"
    ENDED = "ended"


class RunOutcome(StrEnum):
    """How a run ends."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"  # what had left the house by then is reconciled all the same
    REFUSED = "refused"  # not approved, or barred by a rule that nobody can mend


class OrderState(StrEnum):
    """What has become of an order as far as we know now. Behind `QUEUED` it may have left the house."""

    QUEUED = "queued"
    IN_FILE = "in-file"
    SENT = "sent"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    BARRED = "barred"


class FinalState(StrEnum):
    """The one end of an order, written once: by then no answer can change it any more."""

    SETTLED = "settled"  # the money moved, and the term of returns is over
    REJECTED = "rejected"  # the bank refused it
    RETURNED = "returned"  # 退汇/退回: it had moved and came back
    WITHDRAWN = "withdrawn"  # it never left the house
    BARRED = "barred"  # a rule stood against the row when the run reached it
    OPENED = "opened"  # intake: the row has become a case


OPEN_ORDER_STATES: Final = (
    OrderState.QUEUED,
    OrderState.IN_FILE,
    OrderState.SENT,
    OrderState.ACCEPTED,
)
# Which state may follow which. A repeated answer (the state itself) is never a transition.
ORDER_TRANSITIONS: Final[dict[OrderState, frozenset[OrderState]]] = {
    OrderState.QUEUED: frozenset({OrderState.IN_FILE, OrderState.WITHDRAWN, OrderState.BARRED}),
    OrderState.IN_FILE: frozenset({OrderState.SENT, OrderState.WITHDRAWN}),
    OrderState.SENT: frozenset({OrderState.ACCEPTED, OrderState.SETTLED, OrderState.REJECTED, OrderState.RETURNED}),
    OrderState.ACCEPTED: frozenset({OrderState.SETTLED, OrderState.REJECTED, OrderState.RETURNED}),
    OrderState.SETTLED: frozenset({OrderState.RETURNED}),
    OrderState.REJECTED: frozenset(),
    OrderState.RETURNED: frozenset(),
    OrderState.WITHDRAWN: frozenset(),
    OrderState.BARRED: frozenset(),
}


class OrderReason(StrEnum):
    """Why an order ended as it did, where the house and not the bank says so; the bank's codes are ISO 20022's."""

    BLOCKED_BY_RULE = "blocked-by-rule"
    NO_MANDATE = "no-mandate"
    MANDATE_REVOKED = "mandate-revoked"
    NOTHING_DUE = "nothing-due"
    DISPUTED = "disputed"
    ORDER_OPEN = "order-open"  # another order for the same claim is under way
    CANNOT_OPEN = "cannot-open"
    PROFILE_REFUSES = "profile-refuses"  # the bank's format cannot carry it
    CASE_EXISTS = "case-exists"
    RUN_CANCELLED = "run-cancelled"
    UNANSWERED = "unanswered"


class MemberState(StrEnum):
    """Whether a row of a cohort is in its run."""

    INCLUDED = "included"
    EXCLUDED = "excluded"


class RowState(StrEnum):
    """Where a row of an imported file ended: read = accepted + held + rejected + replaced, always."""

    ACCEPTED = "accepted"
    HELD = "held"  # in quarantine: a person decides
    REJECTED = "rejected"  # for good, with its reason
    REPLACED = "replaced"  # a corrected row stands in its place


class ChunkState(StrEnum):
    """A part of a run's rows that is executed as one."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"


class RuleSetState(StrEnum):
    """A version of a rule set, from draft to retirement."""

    DRAFT = "draft"
    TESTED = "tested"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    RETIRED = "retired"


class DisputeState(StrEnum):
    """A disputed order (争议)."""

    OPEN = "open"
    EXPLAINED = "explained"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class SuspenseState(StrEnum):
    """Money of the bank's that no order explains (暂收)."""

    OPEN = "open"
    ASSIGNED = "assigned"
    SENT_BACK = "sent-back"


# Why a line lies in suspense though its order is known: it came back when the order had its end already.
LATE_RETURN: Final = "late-return"


class SuggestionState(StrEnum):
    """A suggestion drawn from results or feedback; a person decides."""

    OPEN = "open"
    ADOPTED = "adopted"
    DISMISSED = "dismissed"


# Nothing outside has changed before this stage: a cancelled run simply ends.
BEFORE_EFFECTS: Final = frozenset(
    {RunStage.COHORT, RunStage.CLEANING, RunStage.RULES, RunStage.REHEARSING, RunStage.APPROVING}
)
# From here on a run that is cancelled has its rest withdrawn first.
CAN_STOP: Final = frozenset({RunStage.EXECUTING, RunStage.SENDING, RunStage.AWAITING})
CUT_OFF: Final = "cut-off"  # a chunk's answer: no order leaves now, look again later
