"""The closed words of the catalogue of personal data: class, grade, storage, mask, purpose, export.

Classes follow JR/T 0171-2020 (个人金融信息保护技术规范), sensitivity 个人信息保护法 Art. 28, grades the NFRA measures
for data security (银行保险机构数据安全管理办法). `models.texts` has a text `privacy-<word>.<value>` for each.
"""

from enum import StrEnum


class DataClass(StrEnum):
    """Class of JR/T 0171 (个人金融信息类别)."""

    C1 = "C1"  # internal: opening time, institution, tokens
    C2 = "C2"  # identifies a person, or tells their financial state
    C2_AUX = "C2-aux"  # helps to authenticate (辅助鉴别信息); with the account beside it, it counts as C3
    C3 = "C3"  # authenticates (用户鉴别信息): never shown, never logged, never exported


class Sensitivity(StrEnum):
    """Sensitive personal information (敏感个人信息) of 个人信息保护法 Art. 28."""

    NO = "no"
    YES = "yes"
    POLICY = "policy"  # the law does not name it; the bank treats it so
    PARTLY = "partly"  # it may hold what is: a medical reason, a voice


class Grade(StrEnum):
    """Grade of the data by default (数据分级); the bank sets its own."""

    IMPORTANT = "important"
    SENSITIVE = "sensitive-general"
    OTHER = "other-general"


class Storage(StrEnum):
    """In what form it lies."""

    CELL = "cell"  # an AEAD cell under the key of its person
    FILE = "file"  # a sealed file under a key derived from the person's
    INDEX = "blind-index"  # a keyed digest by which an exact value is found
    DIGEST = "digest"  # a hash or MAC only: the value cannot be read again by anybody
    BESIDE = "beside-token"  # in clear, beside a token of the person
    STAFF = "staff-table"  # in clear: members of staff, in their own table


class Mask(StrEnum):
    """How it is shown without a reason; the patterns stand in `models.domain.privacy.masks`."""

    NAME = "name"
    ID_NUMBER = "id-number"
    PHONE = "phone"
    CARD = "card"
    EMAIL = "email"
    ADDRESS = "address"
    CATEGORY = "category"  # its kind and how many, e.g. 医疗类证明 1 份
    AMOUNT = "amount"  # to owner and case handler in full; in lists as the bank has set
    HIDDEN = "hidden"  # not at all; in full by a recorded reveal, where there is one
    NEVER = "never"  # by nobody, in no way
    NONE = "none"


class Purpose(StrEnum):
    """What it is processed for (处理目的)."""

    IDENTIFY = "identify"
    CONTACT = "contact"
    ASSESS = "assess"
    PERFORM = "perform"
    COLLECT = "collect"
    ANSWER = "answer"
    AUTHENTICATE = "authenticate"
    OPERATE = "operate"


class Export(StrEnum):
    """Whether it may leave the installation."""

    PURPOSE = "within-purpose"
    RECIPIENT = "approved-recipient"  # in full only to the approved recipient of a transfer
    DIGEST_FIRST = "digest-first"  # matched by digest first, the clear value last
    TOKEN = "token-preferred"  # noqa: S105 - a payment token (支付标记) instead of the number
    NEED = "only-with-need"
    CASE = "by-case"  # one by one, recorded
    NEVER = "never"
