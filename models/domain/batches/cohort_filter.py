"""Criteria of a cohort (客群条件): typed filters over the book or an import, amount bands, what fee is collected.

As stored with the run: `{"filter": {…}, "amountBands": [minor units…], "period": "2026-11", "fee": {"code", …}}`,
every member optional but the fee of a fee collection; `stated` is read by `models.domain.batches.stated`. Whatever a
filter says, only rows due by the business date are in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from models.domain.batches.classes import AMOUNT_BANDS, cycle_class
from models.domain.batches.kinds import KINDS, KindName, MemberSource
from models.domain.batches.stated import read_stated
from models.domain.filter_language import MEMBERSHIP, RANGE, FieldTest, FilterLanguage, day, integer, one_of, text
from models.domain.plans.negotiation import Family
from models.domain.rule_words import AccountKind
from models.domain.servicing.state import Status
from models.errors import FieldFault, FormInvalid

MOST_BANDS: Final = 10
_MOST_MINOR: Final = 10**13
_PERIOD: Final = re.compile(r"\A\d{4}-(0[1-9]|1[0-2])\Z")
_CODE: Final = re.compile(r"\A[a-z][a-z0-9-]{0,19}\Z")
_MEMBERS: Final = frozenset({"filter", "amountBands", "period", "fee", "stated"})
_FEE_MEMBERS: Final = frozenset({"code", "amountMinor"})


class RowField(StrEnum):
    """What rows of agreements are chosen by; the value is the member's name in the API."""

    DUE = "dueOn"
    AMOUNT = "amountMinor"  # what the row lacks
    OVERDUE = "daysPastDue"  # of the agreement
    STATUS = "agreementStatus"
    FAMILY = "family"
    BRANCH = "branch"
    NUMBER = "rowNo"
    PURPOSE = "purpose"  # these three of the mandate
    PROFILE = "profile"
    ACCOUNT_KIND = "accountKind"


class AccountField(StrEnum):
    """What accounts are chosen by, for fees."""

    BRANCH = "branch"
    PURPOSE = "purpose"
    PROFILE = "profile"
    ACCOUNT_KIND = "accountKind"
    SIGNED = "signedOn"
    LIMIT = "limitMinor"


class RefundField(StrEnum):
    """What refunds are chosen by."""

    AMOUNT = "amountMinor"
    DECIDED = "decidedOn"
    REASON = "reasonCode"  # of the dispute


class ImportField(StrEnum):
    """What accepted rows of an import are chosen by."""

    AMOUNT = "amountMinor"
    LINE = "line"


CohortTest = FieldTest[Any]
ROWS: Final = FilterLanguage(
    members=RowField,
    reads={
        RowField.DUE: (RANGE | MEMBERSHIP, day),
        RowField.AMOUNT: (RANGE, integer),
        RowField.OVERDUE: (RANGE, integer),
        RowField.STATUS: (MEMBERSHIP, one_of(*Status)),
        RowField.FAMILY: (MEMBERSHIP, one_of(*Family)),
        RowField.BRANCH: (MEMBERSHIP, text),
        RowField.NUMBER: (RANGE, integer),
        RowField.PURPOSE: (MEMBERSHIP, text),
        RowField.PROFILE: (MEMBERSHIP, text),
        RowField.ACCOUNT_KIND: (MEMBERSHIP, one_of(*AccountKind)),
    },
)
ACCOUNTS: Final = FilterLanguage(
    members=AccountField,
    reads={
        AccountField.BRANCH: (MEMBERSHIP, text),
        AccountField.PURPOSE: (MEMBERSHIP, text),
        AccountField.PROFILE: (MEMBERSHIP, text),
        AccountField.ACCOUNT_KIND: (MEMBERSHIP, one_of(*AccountKind)),
        AccountField.SIGNED: (RANGE, day),
        AccountField.LIMIT: (RANGE, integer),
    },
)
REFUNDS: Final = FilterLanguage(
    members=RefundField,
    reads={
        RefundField.AMOUNT: (RANGE, integer),
        RefundField.DECIDED: (RANGE, day),
        RefundField.REASON: (MEMBERSHIP, text),
    },
)
IMPORTED: Final = FilterLanguage(
    members=ImportField,
    reads={ImportField.AMOUNT: (RANGE, integer), ImportField.LINE: (RANGE, integer)},
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fee:
    """What is collected from every account of the cohort; minor units."""

    code: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Criteria:
    """Criteria that were checked.

    Attributes:
        tests: all must hold.
        bands: upper ends of the amount bands, ascending.
        period: the cycle of fees, wages and imported rows; rows of agreements have that of their due date.
    """

    kind: KindName
    source: MemberSource
    tests: tuple[CohortTest, ...] = ()
    bands: tuple[int, ...] = AMOUNT_BANDS
    period: str
    fee: Fee | None = None


def read_criteria(raw: object, *, kind: KindName, source: MemberSource, on: date, at: str = "/criteria") -> Criteria:
    """Read what a run, or a preview, is to choose.

    Args:
        raw: as the client sent it, or the run keeps it.
        kind: of the run.
        source: of its rows.
        on: business date; its month is the period where none is named.
        at: where it stands in the body, for the pointers of the faults.

    Raises:
        FormInvalid: naming every member at fault; unknown ones too.
    """
    if not isinstance(raw, Mapping):
        raise FormInvalid(faults=(FieldFault(pointer=at, code="wrong-type", params={"expected": "object"}),))
    faults = [FieldFault(pointer=f"{at}/{name}", code="unknown-field") for name in sorted(set(raw) - _MEMBERS)]
    if source not in KINDS[kind].sources:
        faults.append(FieldFault(pointer=at, code="not-one-of", params={"allowed": ", ".join(KINDS[kind].sources)}))
    tests: tuple[CohortTest, ...] = ()
    try:
        tests = _language(kind, source).tests(raw.get("filter", {}), at=f"{at}/filter")
    except FormInvalid as refused:
        faults.extend(refused.faults)
    try:
        read_stated(raw.get("stated", {}), at=f"{at}/stated")
    except FormInvalid as refused:
        faults.extend(refused.faults)
    bands = _bands(raw.get("amountBands", AMOUNT_BANDS), f"{at}/amountBands", faults)
    period = raw.get("period", cycle_class(on))
    if not isinstance(period, str) or not _PERIOD.match(period):
        faults.append(FieldFault(pointer=f"{at}/period", code="pattern"))
    needs_fee = kind is KindName.FEE_COLLECTION and source is MemberSource.BOOK
    fee = _fee(raw.get("fee"), f"{at}/fee", faults) if needs_fee else None
    if not needs_fee and "fee" in raw:
        faults.append(FieldFault(pointer=f"{at}/fee", code="unknown-field"))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return Criteria(kind=kind, source=source, tests=tests, bands=bands, period=str(period), fee=fee)


def _language(kind: KindName, source: MemberSource) -> FilterLanguage[Any]:
    if source is MemberSource.FILE:
        return IMPORTED
    if kind is KindName.REFUND:
        return REFUNDS
    return ACCOUNTS if kind is KindName.FEE_COLLECTION else ROWS


def _bands(raw: object, at: str, faults: list[FieldFault]) -> tuple[int, ...]:
    listed = list(raw) if isinstance(raw, list | tuple) else []
    ends = tuple(end for end in listed if _is_amount(end))
    if not ends or len(ends) != len(listed) or len(ends) > MOST_BANDS:
        faults.append(FieldFault(pointer=at, code="wrong-type", params={"expected": "array"}))
    elif list(ends) != sorted(set(ends)):
        faults.append(FieldFault(pointer=at, code="pattern"))
    return ends


def _fee(raw: object, at: str, faults: list[FieldFault]) -> Fee | None:
    if not isinstance(raw, Mapping):
        faults.append(FieldFault(pointer=at, code="missing" if raw is None else "wrong-type", params={}))
        return None
    before = len(faults)
    faults += [FieldFault(pointer=f"{at}/{name}", code="unknown-field") for name in sorted(set(raw) - _FEE_MEMBERS)]
    code, amount = raw.get("code"), raw.get("amountMinor")
    if not isinstance(code, str) or not _CODE.match(code):
        faults.append(FieldFault(pointer=f"{at}/code", code="pattern"))
    if not _is_amount(amount):
        faults.append(FieldFault(pointer=f"{at}/amountMinor", code="wrong-type", params={"expected": "integer"}))
    return Fee(code=str(code), amount_minor=int(str(amount))) if len(faults) == before else None


def _is_amount(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_MINOR
