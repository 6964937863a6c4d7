"""What the quote route takes and tells. The parser is the command line's: `models.domain.schedules.quote_form`."""

from datetime import date

from api.bodies import Answer, Body
from models.domain.schedules.quote_form import QuoteForm


class QuoteBody(QuoteForm, Body):
    """What a quote is asked of: one balance as `principalMinor` and `annualRate`, or several as `balances`."""


class QuoteRowAnswer(Answer):
    """One row. `debit`: when the debit order is presented; `balanceMinor`: principal left after it."""

    no: int
    due: date
    debit: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    total_minor: int
    balance_minor: int


class QuoteTotalsAnswer(Answer):
    """Sums over all rows."""

    rows: int
    interest_minor: int
    fee_minor: int
    total_minor: int


class QuoteRatesAnswer(Answer):
    """Yearly rates as decimal fractions; null where the flows have no rate."""

    irr_monthly: str | None
    irr_times12: str | None
    effective: str | None
    simple: str | None
    european: str | None
    european_percent: str | None
    us_actuarial: str | None
    us_actuarial_percent: str | None


class QuoteKindAnswer(Answer):
    """The share of one kind of balance; `rows` are pairs of principal and interest."""

    kind: str
    principal_minor: int
    interest_minor: int
    rows: list[tuple[int, int]]


class QuoteAnswer(Answer):
    """A schedule that was worked out; nothing is stored."""

    convention: str
    start: date
    principal_minor: int
    rows: list[QuoteRowAnswer]
    totals: QuoteTotalsAnswer
    rates: QuoteRatesAnswer
    by_kind: list[QuoteKindAnswer]
