"""The debit mandate (代扣授权) that goes with a plan: what it is for, up to how much, and until when (DDB-AUTH)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from models.domain.schedules.rows import Row

PURPOSE: Final = "installment-agreement"  # 偿还个性化分期协议项下款项
PROFILE: Final = "generic-cny"
CYCLE: Final = "as-scheduled"  # on the due dates of the plan
ACCOUNT_PATTERN: Final = r"\A[0-9]{8,30}\Z"
BANK_CODE_PATTERN: Final = r"\A(?:[0-9]{12}|[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\Z"  # CNAPS number or BIC
# Bank policy: one debit may carry a row with one that was missed before it, and retries go on past the last row.
_ROWS_AT_ONCE: Final = 2
_RETRY_ROOM: Final = timedelta(days=180)


@dataclass(frozen=True, kw_only=True, slots=True)
class MandateTerms:
    """What a mandate states beside payee and account; `limit_minor` is of one debit."""

    purpose: str
    cycle: str
    limit_minor: int
    valid_to: date


def mandate_terms(rows: Sequence[Row]) -> MandateTerms:
    """What the mandate of a plan states: the same figures are shown to the customer and kept."""
    return MandateTerms(
        purpose=PURPOSE,
        cycle=CYCLE,
        limit_minor=_ROWS_AT_ONCE * max(row.total_minor for row in rows),
        valid_to=rows[-1].due + _RETRY_ROOM,
    )
