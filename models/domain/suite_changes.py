"""Changes of suite (密码算法切换) and renewals of one person's key: their kinds, states and phases. Pure."""

from enum import StrEnum
from typing import Final


class SuiteName(StrEnum):
    """A cipher suite as people name it; `compliance.vault.suites` has its algorithms."""

    AES_256_GCM = "aes-256-gcm"
    SM4_GCM = "sm4-gcm"  # 国密


class ChangeKind(StrEnum):
    """What is sealed anew."""

    SUITE = "suite"  # everything of the tenant, under keys of another suite
    SUBJECT = "subject"  # what is one person's, after their key may have become known


class ChangeState(StrEnum):
    """Where a change stands. PAUSED and CANCELLING are what people want; the workflow does it at its next step."""

    PROPOSED = "PROPOSED"
    REJECTED = "REJECTED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    STOPPED = "STOPPED"  # something could not be opened, or lies under the old suite still: a person must look
    CANCELLED = "CANCELLED"
    DONE = "DONE"


class ChangePhase(StrEnum):
    """How far a change is."""

    PUBLISHING = "publishing"
    SEALING = "sealing"
    SCANNING = "scanning"


OPEN_CHANGES: Final = (ChangeState.RUNNING, ChangeState.PAUSED, ChangeState.CANCELLING, ChangeState.STOPPED)


class ChangeReason(StrEnum):
    """Why."""

    COMMERCIAL_CRYPTOGRAPHY = "commercial-cryptography"  # 商用密码应用安全性评估 (密评)
    COMPROMISE = "compromise"  # 密钥泄露或疑似泄露
    SCHEDULE = "schedule"  # 定期更换
    RETURN = "return"  # 回退
