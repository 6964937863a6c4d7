"""The closed words of an application and of the case file: hardship, consent, document, contact, reveal.

The values are what the API takes and what the columns hold; `models.texts` has a text for each.
"""

from enum import StrEnum
from typing import Final

MAX_DOCUMENT_BYTES: Final = 10 * 1024 * 1024
MAX_LINK_HOURS: Final = 168  # a customer's link lives for a week at most


class Channel(StrEnum):
    """Who entered the application (进件渠道)."""

    STAFF = "staff"
    LINK = "link"  # the customer, through a signed link


class HardshipCode(StrEnum):
    """Why the customer cannot pay as agreed (困难原因)."""

    UNEMPLOYMENT = "unemployment"
    ILLNESS = "illness"
    DISASTER = "disaster"
    BUSINESS_FAILURE = "business-failure"
    OTHER = "other"


class ConsentPurpose(StrEnum):
    """What a consent is for (同意事项). The notice stands among them: it too has a form, a version and a time."""

    PRIVACY_NOTICE = "privacy-notice"  # 个人信息处理告知: nothing is agreed to, somebody was told

    ADVERSE_REPORT_NOTICE = "adverse-report-notice"  # 报送不良信息前告知: likewise
    CREDIT_REPORT_QUERY = "credit-report-query"  # 查询个人信用报告
    PERSONAL_DATA = "personal-data"  # 处理个人信息
    SENSITIVE_DATA = "sensitive-data"  # 处理敏感个人信息
    CONTACT_HOURS = "contact-hours"  # 在 22:00 至次日 08:00 接受联系


# What somebody was told; nothing is asked for with it.
TOLD: Final = frozenset({ConsentPurpose.PRIVACY_NOTICE, ConsentPurpose.ADVERSE_REPORT_NOTICE})


class ConsentForm(StrEnum):
    """How a consent was given (同意形式); some purposes need it in writing (书面同意)."""

    WRITTEN = "WRITTEN"
    ELECTRONIC = "ELECTRONIC"
    ORAL = "ORAL"


class EvidenceKind(StrEnum):
    """What proves a consent (同意凭证)."""

    DOCUMENT = "document"  # a file of the case
    RECORDING = "recording"  # 录音录像
    LINK = "link"  # acknowledged through the customer's link
    CODE = "code"  # a one-time code


class DocumentKind(StrEnum):
    """What a file of a case is (资料类型)."""

    HARDSHIP_EVIDENCE = "hardship-evidence"  # 困难证明
    BUREAU_CONSENT = "bureau-consent"  # 征信查询授权书
    INCOME_PROOF = "income-proof"  # 收入证明
    SIGNED_PAPER = "signed-paper"  # 纸质签署件扫描
    OTHER = "other"
    AGREEMENT = "agreement"  # 协议文本, as printed for signing
    COST_STATEMENT = "cost-statement"  # 综合融资成本明示表
    PAPER_AGREEMENT = "paper-agreement"  # 协议文本（纸质签署用）, with lines to write on
    PAPER_COST_STATEMENT = "paper-cost-statement"  # 综合融资成本明示表（纸质签署用）
    SEALED_AGREEMENT = "sealed-agreement"  # 已用印协议
    CLOSE_LETTER = "close-letter"  # 结清证明


# What the bank prints itself is never taken in from outside.
PRINTED: Final = frozenset(
    {
        DocumentKind.AGREEMENT,
        DocumentKind.COST_STATEMENT,
        DocumentKind.PAPER_AGREEMENT,
        DocumentKind.PAPER_COST_STATEMENT,
        DocumentKind.SEALED_AGREEMENT,
        DocumentKind.CLOSE_LETTER,
    }
)
UPLOADABLE: Final = tuple(kind for kind in DocumentKind if kind not in PRINTED)


class ContactChannel(StrEnum):
    """By which way a talk was held."""

    PHONE = "phone"
    VISIT = "visit"
    MESSAGE = "message"
    LETTER = "letter"


class ContactDirection(StrEnum):
    """Who began it."""

    IN = "in"
    OUT = "out"


class ContactResult(StrEnum):
    """What came of it."""

    REACHED = "reached"
    NOT_REACHED = "not-reached"
    NUMBER_INVALID = "number-invalid"  # 空号、停机
    CALL_BACK = "call-back"
    INFORMED = "informed"
    DOCUMENTS_PROMISED = "documents-promised"
    WRONG_PERSON = "wrong-person"
    REFUSED_TO_TALK = "refused-to-talk"


class ContactPointKind(StrEnum):
    """A way to reach a subject."""

    MOBILE = "mobile"
    EMAIL = "email"


class RevealField(StrEnum):
    """What can be shown in clear, one field at a time, for a reason."""

    NAME = "name"
    ID_NUMBER = "idNumber"
    MOBILE = "mobile"
    EMAIL = "email"
    ADDRESS = "address"
    EMPLOYER = "employer"
    CARD_NUMBER = "cardNumber"
    HARDSHIP_NOTE = "hardshipNote"  # of a case
    CONTACT_NOTE = "contactNote"  # of an entry of the contact log


class RevealReason(StrEnum):
    """Why somebody looks (查看理由)."""

    CALL_CUSTOMER = "call-customer"
    VERIFY_IDENTITY = "verify-identity"
    ASSESS_CASE = "assess-case"
    PREPARE_DOCUMENT = "prepare-document"
    HANDLE_COMPLAINT = "handle-complaint"
    DATA_SUBJECT_REQUEST = "data-subject-request"  # 个人信息主体请求
    AUDIT = "audit"


class LinkPurpose(StrEnum):
    """What a customer's link is for; one link, one purpose."""

    APPLICATION = "application"
    PROGRESS = "progress"
    SIGNING = "signing"  # 签约: made by the case's own step, never by hand
    TRANSFER = "transfer"  # 客户信息变更告知: made as a customer is told of a transfer
