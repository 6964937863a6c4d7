"""What each document says, as values: amounts in minor units, rates as fractions per year, dates, and texts of people.

Nothing here is formatted or masked; `activities.documents.data` does that. What the law wants on a document has no
default, so that it cannot be forgotten, and what does not add up cannot be made into a document.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.schedules.rows import Schedule


class SigningForm(StrEnum):
    """How the customer signs (签署方式)."""

    ELECTRONIC = "electronic"  # 电子签名: by one-time code
    PAPER = "paper"  # 纸质签署


class IdentityDocument(StrEnum):
    """What the customer proves identity with (证件类型)."""

    RESIDENT_ID = "resident-id"  # 居民身份证
    PASSPORT = "passport"  # 护照
    OTHER = "other"


class DebtKind(StrEnum):
    """What a debt is made of (欠款结构)."""

    PURCHASES = "purchases"  # 消费本金
    CASH_ADVANCES = "cash-advances"  # 预借现金本金
    INSTALLMENTS = "installments"  # 未到期分期本金
    INTEREST = "interest"  # 利息
    LATE_FEES = "late-fees"  # 违约金
    OTHER_FEES = "other-fees"  # 其他费用


class RepaymentCycle(StrEnum):
    """How often a row is due (还款周期)."""

    WEEKLY = "weekly"
    TWO_WEEKLY = "two-weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ONCE = "once"  # 到期一次
    AS_LISTED = "as-listed"  # by the table only


class RepaymentMethod(StrEnum):
    """How rows are made (还款方式)."""

    LEVEL = "level"  # 等额本息
    EQUAL_PRINCIPAL = "equal-principal"  # 等额本金
    FLAT = "flat"  # 本金均摊、每期固定利息
    INTEREST_FREE = "interest-free"  # 免息分期
    BULLET = "bullet"  # 按期付息、到期还本
    STEP_UP = "step-up"  # 递增还款
    AS_LISTED = "as-listed"  # 按约定逐期列明


class ChargeKind(StrEnum):
    """Kinds of charges that an agreement must say yes or no to (CCM-70c item 3)."""

    ANNUAL_FEE = "annual-fee"  # 年费
    INTEREST = "interest"  # 利息
    EARLY_SETTLEMENT = "early-settlement"  # 提前结清费用
    OTHER = "other"  # 其他费用


class RateMethod(StrEnum):
    """By which method a yearly rate was found; a simple one must say so (单利, APR21-4)."""

    EFFECTIVE = "effective"  # 内部收益率法, compounded
    NOMINAL = "nominal"  # 内部收益率法, period rate times periods in a year
    SIMPLE = "simple"  # 单利


class Settlement(StrEnum):
    """How an agreement came to its end."""

    AS_AGREED = "as-agreed"  # 按期结清
    EARLY = "early"  # 提前结清


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """What every document carries.

    Attributes:
        document_id: printed in the footer.
        plan_hash: hash of the frozen plan in hexadecimal digits, printed in the footer; None where no plan is meant.
        made_on: printed, and the creation date inside the file.
        version: of the wording that the bank released, printed in the footer.
    """

    document_id: str
    plan_hash: str | None
    made_on: date
    version: str = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Institution:
    """The bank (甲方). `complaints` is the way to complain, mostly a telephone number."""

    name: str
    address: str
    hotline: str
    complaints: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """The cardholder (乙方), in clear. Agreements print the number of the identity document whole, letters mask it."""

    name: str
    id_type: IdentityDocument
    id_number: str
    mobile: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DebtPart:
    """One kind within the debt."""

    kind: DebtKind
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """Whether one kind of charge is taken while the plan is kept; `standard` says how much and how, if it is."""

    kind: ChargeKind
    charged: bool
    standard: str

    def __post_init__(self) -> None:
        """A charge that is taken says how much."""
        if self.charged and not self.standard.strip():
            raise ValueError(f"the charge {self.kind} has no standard")


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnualRate:
    """A yearly rate as a fraction (Decimal("0.12") is 12 %) and its method."""

    value: Decimal
    method: RateMethod


@dataclass(frozen=True, kw_only=True, slots=True)
class BreachTerms:
    """When the agreement is broken and what follows (违约责任).

    Attributes:
        grace_days: days after a due date within which a payment still counts as in time.
        missed_rows: how many rows in a row, not paid in full, are a default.
        overdue_rate: yearly simple rate on what is overdue; zero if none.
    """

    grace_days: int
    missed_rows: int
    overdue_rate: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class DebitMandate:
    """The customer's authority to debit (委托扣款授权, DDB-AUTH). The account is given whole and printed masked."""

    payee_name: str
    payer_name: str
    payer_bank: str
    payer_account: str
    limit_minor: int
    valid_from: date
    valid_to: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """The personalised installment agreement (个性化分期还款协议) with the six contents of CCM-70c.

    Attributes:
        debt_as_of: the day for which the parts of the debt are stated.
        waived_minor: part of the debt that the bank gives up; the rest is the principal of the schedule.
        rates: the first is shown conspicuously (APR21-1), the others smaller.
        mandate: None if the customer pays by own transfers.
        other_terms: clauses agreed beyond the standard text, one paragraph each.
    """

    heading: Heading
    lender: Institution
    borrower: Customer
    card_number: str
    currency: str
    debt: tuple[DebtPart, ...]
    debt_as_of: date
    waived_minor: int
    schedule: Schedule
    cycle: RepaymentCycle
    method: RepaymentMethod
    rates: tuple[AnnualRate, ...]
    charges: tuple[Charge, ...]
    breach: BreachTerms
    mandate: DebitMandate | None
    form: SigningForm
    other_terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is incomplete or does not add up."""
        if not self.schedule.rows or not self.debt or not self.rates:
            raise ValueError("an agreement needs rows, parts of the debt and a yearly rate")
        if sorted(charge.kind for charge in self.charges) != sorted(ChargeKind):
            raise ValueError("an agreement says yes or no to each kind of charge, once")
        if self.waived_minor < 0 or sum(part.amount_minor for part in self.debt) - self.waived_minor != (
            self.schedule.principal_minor
        ):
            raise ValueError("the debt less what is waived is not the principal of the schedule")
        if sum(row.principal_minor for row in self.schedule.rows) != self.schedule.principal_minor:
            raise ValueError("the rows do not add up to the principal")
        if self.heading.plan_hash is None:
            raise ValueError("an agreement names the plan it is about")


@dataclass(frozen=True, kw_only=True, slots=True)
class CostItem:
    """A charge while the plan is kept (正常履约), in words of the document's language.

    Attributes:
        amount_minor: over the whole term.
        annual_rate: the item alone as a yearly fraction.
        charged_by: who takes it (收取主体), also where that is not the bank.
        code: what the rules call it; not printed.
    """

    code: str = "other"
    name: str
    method: str
    standard: str
    charged_by: str
    amount_minor: int
    annual_rate: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ContingentItem:
    """A charge that falls due only on breach or by the customer's own act (或有成本); `code` is not printed."""

    code: str = "other"
    name: str
    condition: str
    standard: str
    charged_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CostStatement:
    """The all-in cost statement (综合融资成本明示表, AIC26-FORM; due from 2026-08-01).

    Attributes:
        total: all normal-performance flows as one yearly rate; the rates of the items need not add up to it.
    """

    heading: Heading
    lender: Institution
    borrower: Customer
    currency: str
    principal_minor: int
    rows: int
    first_due: date
    last_due: date
    method: RepaymentMethod
    items: tuple[CostItem, ...]
    total: AnnualRate
    contingent: tuple[ContingentItem, ...]
    form: SigningForm


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseLetter:
    """The letter that everything is paid (结清证明)."""

    heading: Heading
    lender: Institution
    borrower: Customer
    agreement_id: str
    signed_on: date
    settled_on: date
    settlement: Settlement
    currency: str
    principal_minor: int
    paid_minor: int
    card_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MissedRow:
    """A row that is not paid in full; `open_minor` is what of it is still owed."""

    no: int
    due: date
    open_minor: int
    days_past_due: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultNotice:
    """The notice that the agreement is broken (违约通知书).

    Attributes:
        overdue_interest_minor: interest on what is overdue, up to `as_of`.
        remaining_minor: all that is owed under the agreement, the missed rows and that interest included.
        pay_by: until when the customer can still mend it.
    """

    heading: Heading
    lender: Institution
    borrower: Customer
    agreement_id: str
    signed_on: date
    as_of: date
    currency: str
    missed: tuple[MissedRow, ...]
    overdue_interest_minor: int
    remaining_minor: int
    pay_by: date

    def __post_init__(self) -> None:
        """A notice of nothing is refused."""
        if not self.missed:
            raise ValueError("a default notice names the rows that were missed")


Document = Agreement | CostStatement | CloseLetter | DefaultNotice
