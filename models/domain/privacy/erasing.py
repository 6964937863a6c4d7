"""The closed words of erasure and legal holds, and what a request is reduced to."""

import hashlib
from enum import StrEnum
from typing import Final


class Ground(StrEnum):
    """Why data shall be deleted (个人信息保护法 Art. 47)."""

    PURPOSE_REACHED = "purpose-reached"  # 处理目的已实现、无法实现或者不再必要
    SERVICE_ENDED = "service-ended"  # 停止提供服务
    PERIOD_OVER = "period-over"  # 保存期限已届满
    CONSENT_WITHDRAWN = "consent-withdrawn"  # 撤回同意
    UNLAWFUL = "unlawful-processing"  # 违法或者违反约定处理


class ErasureState(StrEnum):
    """Where a request stands."""

    PROPOSED = "PROPOSED"  # by the sweep; nobody has made it their own yet
    REQUESTED = "REQUESTED"  # waits for the second person
    REFUSED = "REFUSED"  # a law or a hold stands against it
    REJECTED = "REJECTED"  # by the second person, or as a proposal by the first
    APPROVED = "APPROVED"  # decided; the keys go next
    ERASED = "ERASED"  # keys and index tokens are gone
    CERTIFIED = "CERTIFIED"


UNDER_WAY: Final = (ErasureState.PROPOSED, ErasureState.REQUESTED, ErasureState.APPROVED)


class ErasureRejectReason(StrEnum):
    """Why the second person rejects it."""

    NOT_THE_PERSON = "not-the-person"  # the identity of who asked is not proven
    ASKED_BY_MISTAKE = "asked-by-mistake"
    GROUND_NOT_GIVEN = "ground-not-given"


class HoldReason(StrEnum):
    """Why data must be kept."""

    LITIGATION = "litigation"  # 诉讼、仲裁
    INVESTIGATION = "investigation"  # 公安、司法、监察机关调查
    REGULATOR = "regulator"  # 监管检查
    COMPLAINT = "complaint"  # 投诉处理中
    AUDIT = "audit"


class ReleaseReason(StrEnum):
    """Why a hold ends."""

    MATTER_CLOSED = "matter-closed"
    PLACED_BY_MISTAKE = "placed-by-mistake"
    ORDER_LIFTED = "order-lifted"


class HoldState(StrEnum):
    """A hold stands in `PLACED`, `CONFIRMED` and `RELEASE_ASKED`: it protects before the second person has spoken."""

    PLACED = "PLACED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    RELEASE_ASKED = "RELEASE_ASKED"
    RELEASED = "RELEASED"


STANDING: Final = (HoldState.PLACED, HoldState.CONFIRMED, HoldState.RELEASE_ASKED)


def commitment(*, tenant: str, request: str, subject: str, ground: str, requested_at: str, nonce: str) -> str:
    """What is left of a request: SHA-256, in hex, over its parts, each behind its length.

    Who knows the person's token and the nonce of the certificate can show that it was this person; nobody else can
    tell.
    """
    digest = hashlib.sha256()
    for part in ("casework.erasure", tenant, request, subject, ground, requested_at, nonce):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4) + encoded)
    return digest.hexdigest()
