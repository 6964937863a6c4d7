"""Why a row came to something else than was rehearsed (试运行与实际的差异): a code for each, with words. Pure."""

from dataclasses import dataclass

from models.domain.batches.states import OrderReason, OrderState

NOT_REACHED = "not-reached"  # the run was stopped before
WITHDRAWN = "withdrawn"  # it was stopped before the order left
NO_LONGER_BARRED = "no-longer-barred"
OTHER_REASON = "other-reason"
AMOUNT_LOWER = "amount-lower"  # part of it was paid since
AMOUNT_HIGHER = "amount-higher"
_BARRED_SINCE = "since-"
CODES = (
    NOT_REACHED,
    WITHDRAWN,
    NO_LONGER_BARRED,
    OTHER_REASON,
    AMOUNT_LOWER,
    AMOUNT_HIGHER,
    *(f"{_BARRED_SINCE}{reason.value}" for reason in OrderReason),
)
"""Every code; `batch-difference.<code>` is its explanation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What one row was expected to come to, or did: state, minor units, reason and rule."""

    state: str
    amount_minor: int
    reason_code: str | None
    rule_id: str | None


def difference(expected: Line, live: Line | None) -> str | None:
    """The code of what differs; None: nothing does.

    Args:
        expected: of the rehearsal.
        live: of the first order of the row; None: there is none.
    """
    if live is None:
        return NOT_REACHED
    was_barred, is_barred = expected.state == OrderState.BARRED, live.state == OrderState.BARRED
    if live.state == OrderState.WITHDRAWN:
        return WITHDRAWN
    if is_barred and not was_barred:
        return f"{_BARRED_SINCE}{live.reason_code}"
    if was_barred and not is_barred:
        return NO_LONGER_BARRED
    if is_barred:
        same = (expected.reason_code, expected.rule_id) == (live.reason_code, live.rule_id)
        return None if same else OTHER_REASON
    if live.amount_minor != expected.amount_minor:
        return AMOUNT_LOWER if live.amount_minor < expected.amount_minor else AMOUNT_HIGHER
    return None
