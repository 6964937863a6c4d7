"""The closed words that the rules of an installment know. Whoever reads facts from the records uses these values.

A rule treats a word it does not know as the stricter case: never as an exemption.
"""

from enum import StrEnum
from typing import Final


class Product(StrEnum):
    """Which kind of installment it is (分期种类)."""

    PERSONALISED = "personalised"  # 个性化分期, Art. 70 of the card measures
    BILL = "bill"  # 账单分期
    CASH_ADVANCE = "cash-advance"  # 现金分期, 预借现金


class AgreementForm(StrEnum):
    """How the agreement is concluded (订立形式)."""

    ELECTRONIC = "electronic"
    PAPER = "paper"
    ORAL = "oral"


class SigningChannel(StrEnum):
    """Where the customer concludes it (签约渠道)."""

    ONLINE = "online"
    ON_SITE = "on-site"
    PHONE = "phone"


class AgreementStatus(StrEnum):
    """What the bank may do about the debt depends on it."""

    NONE = "none"  # no agreement yet, or it ended before it took effect
    SIGNED = "signed"
    ACTIVE = "active"
    IN_DEFAULT = "in-default"
    SETTLED = "settled"


class FeeCharge(StrEnum):
    """Whether a kind of fee is charged while the plan runs: a word, never a blank."""

    CHARGED = "charged"
    NOT_CHARGED = "not-charged"


class FundsCost(StrEnum):
    """Under which name the price of the money is shown."""

    INTEREST = "interest"  # 利息
    FEE = "fee"  # 手续费
    NONE = "none"  # nothing is charged for it


class InterestCollection(StrEnum):
    """How installment interest can be paid (利息收取方式)."""

    PER_ROW = "per-row"
    LUMP_SUM = "lump-sum"  # 一次性收取
    NONE = "none"  # as a default: nothing is ticked beforehand


class Confirmation(StrEnum):
    """How a customer confirms what was disclosed (确认方式)."""

    RELIABLE_SIGNATURE = "reliable-signature"  # 可靠的电子签名
    WET_SIGNATURE = "wet-signature"
    RECORDED_CALL = "recorded-call"
    CHECKBOX = "checkbox"


class PromptEvidence(StrEnum):
    """What shows that a clause was pointed out or explained (提示说明证据)."""

    CHECKBOX = "checkbox"  # 勾选
    POPUP = "popup"  # 弹窗
    HIGHLIGHT = "highlight"  # set off in the text that was shown, with its hash
    READ_THROUGH = "read-through"  # forced reading with its time
    CLAUSE_CONFIRMED = "clause-confirmed"  # each clause confirmed by itself
    RECORDING = "recording"


class MandateStatus(StrEnum):
    """State of the customer's debit authorisation (扣款授权)."""

    ACTIVE = "active"
    REVOKED = "revoked"
    NONE = "none"


class AccountKind(StrEnum):
    """Kinds of account that some rule tells apart."""

    SETTLEMENT = "settlement"  # 结算账户
    CREDIT_CARD = "credit-card"
    WAGE_SPECIAL = "wage-special"  # 农民工工资专用账户


class FirstPaid(StrEnum):
    """Which part of the debt a payment reduces first (冲销顺序)."""

    INTEREST_AND_FEES = "interest-and-fees"
    PRINCIPAL = "principal"


class ReminderExemption(StrEnum):
    """Why no reminder was owed; anything but NONE needs its proof on file."""

    NONE = "none"
    FALSE_DATA = "false-data"
    CONTACT_CHANGED = "contact-changed"


class ChangeKind(StrEnum):
    """What is agreed, or done to a running agreement."""

    AGREEMENT = "agreement"  # the agreement itself, which changes the card contract
    SETTLEMENT = "settlement"  # 提前结清
    PREPAYMENT = "prepayment"  # 部分提前还款
    DUE_DATE = "due-date"
    TERM = "term"
    RE_AGE = "re-age"
    PAUSE = "pause"


class ContactPurpose(StrEnum):
    """Why somebody is contacted."""

    COLLECTION = "collection"  # 催收
    SERVICE_REMINDER = "service-reminder"  # 还款提醒


class ContactRole(StrEnum):
    """Who is contacted."""

    DEBTOR = "debtor"
    GUARANTOR = "guarantor"
    CONTACT_PERSON = "contact-person"  # 预留联系人
    OTHER = "other"


class ContactScript(StrEnum):
    """What may be said: to a contact person only a request to pass a message on."""

    FULL = "full"
    RELAY_ONLY = "relay-only"  # 仅转达


class ContactMaker(StrEnum):
    """Who makes the contact."""

    BANK = "bank"
    AGENCY = "agency"  # 委外催收机构


class ThirdParty(StrEnum):
    """Whether a third person has part in the debt."""

    RELATED = "related"  # 与债务有关的第三人: a spouse, for the household's debt
    UNRELATED = "unrelated"


class LostBy(StrEnum):
    """How it is known that the debtor cannot be reached (失联)."""

    NUMBER_INVALID = "number-invalid"  # 号码无效
    THREE_DIALS_NEXT_DAY = "three-dials-next-day"  # three dials in a row in vain, and the next day too
    THREE_DAYS = "three-days"  # three days in a row in vain
    NOT_LOST = "not-lost"


class ContactSource(StrEnum):
    """Where contact data come from: the six lawful ways (联系方式来源)."""

    CONTRACT = "contract"
    LEFT_BY_CUSTOMER = "left-by-customer"
    AUTHORISED = "authorised"  # the debtor authorised the bank to obtain them
    PUBLIC = "public"  # a lawful public channel
    RESERVED_CONTACT = "reserved-contact"  # told by the reserved contact (预留联系人)
    CREDIT_BUREAU = "credit-bureau"  # a credit bureau or the like, under authorisation


class LegalBasis(StrEnum):
    """On which ground personal data are processed (合法性基础); the grounds that this business can have."""

    CONSENT = "consent"  # 取得个人的同意
    CONTRACT = "contract"  # 为订立、履行个人作为一方当事人的合同所必需


class SensitiveData(StrEnum):
    """Kinds of sensitive personal data that a case may hold (敏感个人信息)."""

    FINANCIAL_ACCOUNT = "financial-account"  # 金融账户: the card and what is owed on it
    MEDICAL = "medical"  # 医疗健康: proof and words about an illness


class DueDiligence(StrEnum):
    """What the card core says of the due diligence on a card holder (客户尽职调查)."""

    CURRENT = "current"
    OVERDUE = "overdue"  # to be done again: the identity document has run out, or the review is late
    DOUBTED = "doubted"  # there is doubt about earlier identity data
    UNIDENTIFIED = "unidentified"  # 身份不明、匿名或者假名


class DataAfterClose(StrEnum):
    """What happens to personal data once the case is closed."""

    OPEN = "open"
    LOCKED = "locked"  # kept and protected, nothing else (仅存储)
    DELETED = "deleted"


# What the agreement must hold, Art. 70 of the card measures; whether fees are charged is asked by `FeeCharge`.
AGREEMENT_CONTENTS: Final = (
    "debt-balance", "debt-structure", "debt-currency",
    "repayment-cycle", "repayment-method", "repayment-currency", "row-dates", "row-amounts",
    "no-new-card-undertaking", "rights-and-duties", "breach-liability", "other-matters",
)  # fmt: skip
DISCLOSURES: Final = ("nature", "procedure", "risk", "breach-liability")
STATEMENT_FIELDS: Final = (
    "principal", "item-method", "item-standard", "item-charging-party", "item-yearly-rate", "total-yearly-rate",
    "breach-items", "nothing-else-charged",
)  # fmt: skip
MANDATE_FIELDS: Final = ("payee-name", "purpose", "payer-account", "cycle-or-condition", "valid-to")
LETTER_FIELDS: Final = (
    "name", "outstanding-balance", "reason", "legal-basis", "rights-and-duties",
    "how-to-query", "how-to-repay", "how-to-object", "how-to-file-evidence", "bank-contacts", "official-seal",
)  # fmt: skip
ENTRUSTMENT_TERMS: Final = ("purpose", "term", "method", "data-types", "safeguards", "rights-and-duties")
RECOVERED_AMOUNT: Final = "recovered-amount"  # 回款金额, the measure that may not stand alone
# What a notice about personal data says before they are processed (个人信息保护法 Art. 17).
NOTICE_ITEMS: Final = ("handler", "contacts", "purpose", "method", "data-kinds", "retention", "rights")
SENSITIVE_ITEMS: Final = ("necessity", "effect")  # …, and about sensitive data besides (Art. 30)
