"""The closed sets of states of a transfer job, its rows, waves and notices. Pure; workflow code may import it."""

from enum import StrEnum
from typing import Final


class JobStage(StrEnum):
    """Where a job stands. The order is the order of the work; each border is a gate or a person's decision."""

    CLASSIFYING = "classifying"  # 法律事件定性: which event it is, with evidence
    PLANNING = "planning"  # 方案: plan, risks, impact assessment, training
    APPROVING = "approving"  # 双方审批: both companies approve the plan
    BACKING_UP = "backing-up"  # 备份 and proof by restoring
    COLLECTING = "collecting"  # 采集
    VERIFYING = "verifying"  # 核验 and duplicates; record tasks
    GO_NO_GO = "go-no-go"  # 割接决策
    NOTIFYING_FIRST = "notifying-first"  # classes whose law wants consent before anything moves
    UPDATING = "updating"  # 分批更新
    NOTIFYING = "notifying"  # 告知
    FOLLOWING_UP = "following-up"  # 回访
    AUDITING = "auditing"  # 内部审计
    CLOSING = "closing"
    ENDED = "ended"


class JobOutcome(StrEnum):
    """How a job ends."""

    COMPLETED = "completed"
    REFUSED = "refused"  # not approved, or barred by a rule that nobody can mend
    ROLLED_BACK = "rolled-back"
    CANCELLED = "cancelled"  # before anything moved


class Side(StrEnum):
    """Whose book."""

    SOURCE = "source"  # 转让方
    TARGET = "target"  # 受让方


class RowOutcome(StrEnum):
    """Where a row that was read ended: read = accepted + rejected + merged + held, always."""

    ACCEPTED = "accepted"  # becomes a customer of the target
    REJECTED = "rejected"  # in quarantine for good, with reason
    MERGED = "merged"  # the target knows the person already, or an earlier row is the same person
    HELD = "held"  # waits: for a correction, a review or a consent


# Why a row is held, or its record is left alone by a rollback: its person was erased (删除).
ERASED_ROW: Final = "erased"


class MoveState(StrEnum):
    """Whether an accepted or merged row has reached the target's book."""

    WAITING = "waiting"
    MOVED = "moved"
    CONFLICT = "conflict"  # the target's record changed meanwhile: a person decides
    UNDONE = "undone"


class WaveState(StrEnum):
    """A wave of rows (批次) that moves, or is rolled back, as one."""

    PLANNED = "planned"
    MOVING = "moving"
    MOVED = "moved"
    STOPPED = "stopped"  # the error budget is spent
    UNDOING = "undoing"
    UNDONE = "undone"


class BackupState(StrEnum):
    """A backup proves nothing until it was restored."""

    MADE = "made"
    PROVEN = "proven"  # restored into scratch, and everything computed again is equal
    FAILED = "failed"  # what is wrong is named
    DELETED = "deleted"  # its term is over: container and envelopes are gone


class MatchVerdict(StrEnum):
    """What becomes of a pair that may be one person."""

    AUTO = "auto"  # merged by policy
    REVIEW = "review"  # a person decides
    SAME = "same"  # a person decided: one person
    DIFFERENT = "different"  # a person or a veto decided: two persons
    UNMERGED = "unmerged"  # taken apart again


class NoticeState(StrEnum):
    """How a customer was told. Exactly one of `TOLD` when the job closes."""

    PENDING = "pending"
    SENT = "sent"  # handed over, no receipt yet
    DELIVERED = "delivered"
    FALLBACK_DELIVERED = "fallback-delivered"  # by a later channel of the order
    PUBLIC_NOTICE = "public-notice"  # 公告: every channel failed
    OBJECTION = "objection"  # told, and objected
    EXEMPT = "exempt"  # the class needs no notice, or the law exempts it


TOLD: Final = frozenset(
    {
        NoticeState.DELIVERED,
        NoticeState.FALLBACK_DELIVERED,
        NoticeState.PUBLIC_NOTICE,
        NoticeState.OBJECTION,
        NoticeState.EXEMPT,
    }
)


class LegalClass(StrEnum):
    """The legal event (docs/rules.md, MIG-CLASS). G comes on top of another."""

    A = "A"  # a corporate customer is sold by share transfer
    B = "B"  # the institution is sold by share transfer
    C = "C"  # 合并
    D = "D"  # 分立
    E = "E"  # 资产转让
    F = "F"  # 解散, 破产
    G = "G"  # the recipient is abroad


# Classes in which the handler changes and the customers are told before or after by law.
HANDLER_CHANGES: Final = frozenset({LegalClass.C, LegalClass.D, LegalClass.E, LegalClass.F})
# Classes in which a customer is moved only with consent of their own (单独同意), unless a legal opinion says otherwise.
CONSENT_FIRST: Final = frozenset({LegalClass.E, LegalClass.G})
