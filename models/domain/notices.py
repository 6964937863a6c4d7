"""What customers are told (通知): the kinds of notice, what each says, and when it may be sent.

A notice's parameters are amounts, dates, counts and codes; who it goes to is opened only while it is sent. What only
the customer may read (a link's token, a one-time code) goes into a sealed cell and is dropped once it is sent.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from models.domain.shanghai import SHANGHAI

TEMPLATE_VERSION: Final = "2026-11"  # a changed text is a new version
# COLL-CBA-HOURS: nobody is reminded of what is overdue between 22:00 and 08:00 without their consent.
EVENING: Final = time(22)
MORNING: Final = time(8)

_CODE: Final = re.compile(r"\A[a-z](?:[a-z0-9]|[-.](?=[a-z0-9])){0,39}\Z")
_TAIL: Final = re.compile(r"\A[0-9a-hjkmnp-tv-z]{6}\Z")
_MAX_SECRET: Final = 500
_MAX_COUNT: Final = 10_000


class NoticeChannel(StrEnum):
    """By which way a notice goes."""

    SMS = "sms"
    MAIL = "mail"


class NoticeState(StrEnum):
    """QUEUED until it is one of the others, which are final."""

    QUEUED = "QUEUED"
    SENT = "SENT"  # the provider has taken it
    FAILED = "FAILED"  # refused, or its time ran out after tries
    SKIPPED = "SKIPPED"  # there was no way to send it, so nobody tried


class DebitFailure(StrEnum):
    """Why a debit was not made (扣款失败原因), in words that a customer can act on."""

    INSUFFICIENT_FUNDS = "insufficient-funds"  # 余额不足
    ACCOUNT = "account"  # closed, blocked or wrong
    MANDATE = "mandate"  # 代扣授权 missing, ended or not matching
    OTHER = "other"


class MandateStanding(StrEnum):
    """How the authorisation to debit stands, as each transaction's notice says (DDB-REVOKE)."""

    ACTIVE = "active"
    ENDED = "ended"
    NONE = "none"


class NoticeKind(StrEnum):
    """Every text that is sent to a customer; `notice.<kind>.subject` and `.body` are its words."""

    SIGN_INVITATION = "sign-invitation"
    ONE_TIME_CODE = "one-time-code"
    DUE_REMINDER = "due-reminder"
    DEBIT_FAILED = "debit-failed"
    MISSED_PAYMENT = "missed-payment"
    DEFAULT_WARNING = "default-warning"
    SETTLED = "settled"
    CLOSE_LETTER_READY = "close-letter-ready"
    PAYMENT_RECEIVED = "payment-received"
    PAYMENT_REVERSED = "payment-reversed"
    TICKET_ANSWERED = "ticket-answered"
    TICKET_EXTENDED = "ticket-extended"
    EDUCATION_UNEMPLOYMENT = "education-unemployment"
    EDUCATION_ILLNESS = "education-illness"
    EDUCATION_DISASTER = "education-disaster"
    EDUCATION_BUSINESS_FAILURE = "education-business-failure"
    EDUCATION_OTHER = "education-other"


class Param(StrEnum):
    """What a parameter may be."""

    MONEY = "money"  # minor units, not negative
    COUNT = "count"
    DATE = "date"  # ISO
    CODE = "code"  # has a text of its own
    TAIL = "tail"  # the end of a case's token: `case_tail`


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeSpec:
    """What a kind needs.

    Attributes:
        params: every parameter, none of them optional.
        secrets: names of what travels sealed.
        lives_for: how long it is worth sending.
        is_collection: asks for what is overdue, so it keeps to the hours of contact.
    """

    params: Mapping[str, Param] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    lives_for: timedelta = timedelta(days=2)
    is_collection: bool = False


_CASE: Final = {"case": Param.TAIL}
_LINK: Final = frozenset({"link"})

SPECS: Final[Mapping[NoticeKind, NoticeSpec]] = {
    NoticeKind.SIGN_INVITATION: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "months": Param.COUNT, "until": Param.DATE}, secrets=_LINK
    ),
    NoticeKind.ONE_TIME_CODE: NoticeSpec(
        params=_CASE | {"purpose": Param.CODE, "minutes": Param.COUNT},
        secrets=frozenset({"code"}),
        lives_for=timedelta(minutes=5),
    ),
    NoticeKind.DUE_REMINDER: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "due": Param.DATE, "row": Param.COUNT, "rows": Param.COUNT}
    ),
    NoticeKind.DEBIT_FAILED: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "date": Param.DATE, "reason": Param.CODE, "until": Param.DATE}
    ),
    NoticeKind.MISSED_PAYMENT: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "due": Param.DATE, "days": Param.COUNT}, is_collection=True
    ),
    NoticeKind.DEFAULT_WARNING: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "until": Param.DATE}, is_collection=True
    ),
    NoticeKind.SETTLED: NoticeSpec(params=_CASE | {"date": Param.DATE}),
    NoticeKind.CLOSE_LETTER_READY: NoticeSpec(params=_CASE | {"until": Param.DATE}, secrets=_LINK),
    NoticeKind.PAYMENT_RECEIVED: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "date": Param.DATE, "left": Param.MONEY, "mandate": Param.CODE}
    ),
    NoticeKind.TICKET_ANSWERED: NoticeSpec(params=_CASE | {"kind": Param.CODE}),
    NoticeKind.TICKET_EXTENDED: NoticeSpec(params=_CASE | {"kind": Param.CODE, "until": Param.DATE}),
    NoticeKind.PAYMENT_REVERSED: NoticeSpec(
        params=_CASE | {"amount": Param.MONEY, "date": Param.DATE, "left": Param.MONEY, "due": Param.MONEY}
    ),
    NoticeKind.EDUCATION_UNEMPLOYMENT: NoticeSpec(lives_for=timedelta(days=14)),
    NoticeKind.EDUCATION_ILLNESS: NoticeSpec(lives_for=timedelta(days=14)),
    NoticeKind.EDUCATION_DISASTER: NoticeSpec(lives_for=timedelta(days=14)),
    NoticeKind.EDUCATION_BUSINESS_FAILURE: NoticeSpec(lives_for=timedelta(days=14)),
    NoticeKind.EDUCATION_OTHER: NoticeSpec(lives_for=timedelta(days=14)),
}


def education_for(hardship_code: str) -> NoticeKind:
    """The education material (金融知识教育) for a hardship; `other` for a code that has none of its own."""
    wanted = f"education-{hardship_code}"
    return NoticeKind(wanted) if wanted in set(NoticeKind) else NoticeKind.EDUCATION_OTHER


def case_tail(case_token: str) -> str:
    """What a customer sees of a case's token: the last six characters, never the key itself."""
    return case_token[-6:]


def message_id_of(*, tenant: str, business_key: str) -> str:
    """The id under which a provider gets a notice, however often it is sent: 32 hex digits that tell nothing."""
    return hashlib.sha256(f"casework.notice\x00{tenant}\x00{business_key}".encode()).hexdigest()[:32]


def check_params(kind: NoticeKind, params: Mapping[str, int | str]) -> None:
    """Refuse what a notice of this kind does not say, and words where a code belongs.

    Raises:
        ValueError: names the parameter, never its value.
    """
    spec = SPECS[kind]
    if params.keys() != spec.params.keys():
        raise ValueError(f"a notice {kind} takes {sorted(spec.params)}")
    for name, wanted in spec.params.items():
        if not _fits(wanted, params[name]):
            raise ValueError(f"{name} of a notice {kind} is no {wanted}")


def check_secrets(kind: NoticeKind, secrets: Mapping[str, str]) -> None:
    """Refuse what a notice of this kind does not seal, and what would break a line or fill a message.

    Raises:
        ValueError: names the secret, never its value.
    """
    if secrets.keys() != SPECS[kind].secrets:
        raise ValueError(f"a notice {kind} seals {sorted(SPECS[kind].secrets)}")
    for name, value in secrets.items():
        if not 0 < len(value) <= _MAX_SECRET or not value.isprintable():
            raise ValueError(f"{name} of a notice {kind} is empty, too long, or holds control characters")


def _fits(wanted: Param, value: int | str) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value >= 0 and (wanted is Param.MONEY or (wanted is Param.COUNT and value <= _MAX_COUNT))
    if wanted is Param.DATE:
        try:
            return date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False
    pattern = {Param.CODE: _CODE, Param.TAIL: _TAIL}.get(wanted)
    return pattern is not None and pattern.match(value) is not None


def contact_hour(kind: NoticeKind, now: datetime) -> datetime:
    """`now`, or the next 08:00 in Shanghai when the kind asks for what is overdue and it is night there."""
    here = now.astimezone(SHANGHAI)
    if not SPECS[kind].is_collection or MORNING <= here.time() < EVENING:
        return now
    day = here.date() + timedelta(days=1) if here.time() >= EVENING else here.date()
    return datetime.combine(day, MORNING, tzinfo=SHANGHAI)
