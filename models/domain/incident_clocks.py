"""How long the bank may take to report a security incident (安全事件), to whom, and where that stands. Pure, as data.

A clock runs from the moment of discovery. To report exactly when it ends is in time; a second later is late. Several
clocks may run at once; to each authority there is one task, and the clock that ends first drives the escalation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CLOCKS_VERSION: Final = "2026-11"


class IncidentKind(StrEnum):
    """What happened, or may have happened (个人信息保护法 Art. 57: also what is only possible)."""

    LEAK = "leak"  # 泄露
    TAMPERING = "tampering"  # 篡改
    LOSS = "loss"  # 丢失
    INTRUSION = "intrusion"  # 网络攻击、入侵
    OUTAGE = "outage"  # 系统中断
    FLAW = "flaw"  # 产品、服务的缺陷或者漏洞


class Grade(StrEnum):
    """How grave it is (网络安全事件分级), by the annexed guide; the bank grades, the record keeps how and when."""

    EXTREME = "extreme"  # 特别重大
    MAJOR = "major"  # 重大
    LARGER = "larger"  # 较大
    GENERAL = "general"  # 一般


class DataClass(StrEnum):
    """Which kinds of data are concerned; never the data."""

    IDENTITY = "identity"
    CONTACT = "contact"
    ACCOUNT = "account"  # 金融账户
    TRANSACTION = "transaction"
    CREDIT = "credit"  # 征信
    MEDICAL = "medical"
    BIOMETRIC = "biometric"
    LOGIN = "login"  # 鉴别信息
    BUSINESS = "business"  # no personal data


class Authority(StrEnum):
    """To whom is reported; the order is that of their tasks."""

    PBOC = "pboc"  # 中国人民银行
    NFRA = "nfra"  # 国家金融监督管理总局
    CAC = "cac"  # 省级网信部门
    CII = "cii"  # 关键信息基础设施保护工作部门、公安机关
    NDSR = "ndsr"  # 有关主管部门 (网络数据安全管理条例 Art. 10)
    PERSONS = "persons"  # 个人


class Verified(StrEnum):
    """How the limit was seen; `DRAFT` and `MEMORY` are provisional, and people are told so."""

    TEXT = "TEXT"
    QUOTED = "QUOTED"
    DRAFT = "DRAFT"
    MEMORY = "MEMORY"
    POLICY = "POLICY"  # the law says "at once" (立即); the number is the bank's


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentFacts:
    """What the clocks depend on.

    Attributes:
        persons: how many are concerned; 0 if none are.
        cii: the system is critical information infrastructure (关键信息基础设施).
        public_interest: a flaw that touches national security or public interest.
    """

    kind: IncidentKind
    grade: Grade
    data_classes: frozenset[DataClass]
    persons: int
    cii: bool
    public_interest: bool

    @property
    def data_harmed(self) -> bool:
        """Data leaked, were altered or lost, really or possibly."""
        return self.kind in (IncidentKind.LEAK, IncidentKind.TAMPERING, IncidentKind.LOSS)

    @property
    def personal(self) -> bool:
        """Data of persons were harmed."""
        return self.data_harmed and (self.persons > 0 or bool(self.data_classes - {DataClass.BUSINESS}))

    @property
    def graded(self) -> bool:
        """较大 or above."""
        return self.grade is not Grade.GENERAL


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentClock:
    """One duty to report: to whom, in which time, on what it rests, and when it applies."""

    code: str
    authority: Authority
    limit: timedelta
    source: str
    verified: Verified
    applies: Callable[[IncidentFacts], bool]

    @property
    def provisional(self) -> bool:
        """The limit was not seen in the text of what is in force, nor is it the bank's own."""
        return self.verified in (Verified.DRAFT, Verified.MEMORY)


CLOCKS: Final[tuple[IncidentClock, ...]] = (
    IncidentClock(
        code="pboc-brief",
        authority=Authority.PBOC,
        limit=timedelta(minutes=30),
        source="中国人民银行业务领域网络安全事件报告管理办法（令2025年第4号）; limit of the draft of 2025-01",
        verified=Verified.DRAFT,
        applies=lambda facts: facts.graded,
    ),
    IncidentClock(
        code="pboc-report",
        authority=Authority.PBOC,
        limit=timedelta(hours=2),
        source="中国人民银行业务领域网络安全事件报告管理办法（令2025年第4号）; limit of the draft of 2025-01",
        verified=Verified.DRAFT,
        applies=lambda facts: facts.graded,
    ),
    IncidentClock(
        code="nfra-report",
        authority=Authority.NFRA,
        limit=timedelta(hours=2),
        source="银行保险机构数据安全管理办法（金规〔2024〕24号）",
        verified=Verified.MEMORY,
        applies=lambda facts: facts.data_harmed,
    ),
    IncidentClock(
        code="nfra-written",
        authority=Authority.NFRA,
        limit=timedelta(hours=24),
        source="银行保险机构数据安全管理办法（金规〔2024〕24号）",
        verified=Verified.MEMORY,
        applies=lambda facts: facts.data_harmed,
    ),
    IncidentClock(
        code="cac",
        authority=Authority.CAC,
        limit=timedelta(hours=4),
        source="国家网络安全事件报告管理办法 Art. 4",
        verified=Verified.QUOTED,
        applies=lambda facts: facts.graded and not facts.cii,
    ),
    IncidentClock(
        code="cii",
        authority=Authority.CII,
        limit=timedelta(hours=1),
        source="国家网络安全事件报告管理办法 Art. 4",
        verified=Verified.QUOTED,
        applies=lambda facts: facts.graded and facts.cii,
    ),
    IncidentClock(
        code="ndsr-10",
        authority=Authority.NDSR,
        limit=timedelta(hours=24),
        source="网络数据安全管理条例 Art. 10",
        verified=Verified.TEXT,
        applies=lambda facts: facts.kind is IncidentKind.FLAW and facts.public_interest,
    ),
    IncidentClock(
        code="pipl-57-authority",
        authority=Authority.CAC,
        limit=timedelta(hours=72),
        source="个人信息保护法 Art. 57 (立即); bank policy",
        verified=Verified.POLICY,
        # Where a graded incident is reported to the same authority anyway, that report is the stricter one.
        applies=lambda facts: facts.personal and not (facts.graded and not facts.cii),
    ),
    IncidentClock(
        code="pipl-57-persons",
        authority=Authority.PERSONS,
        limit=timedelta(hours=72),
        source="个人信息保护法 Art. 57 (立即); bank policy",
        verified=Verified.POLICY,
        applies=lambda facts: facts.personal and facts.persons > 0,
    ),
)
BY_CODE: Final = {clock.code: clock for clock in CLOCKS}
PERSONS_CLOCK: Final = "pipl-57-persons"
# Persons may be left out where measures really avert harm (个人信息保护法 Art. 57(2)); nobody else may for that reason.
HARM_AVERTED: Final = "harm-averted"
NOT_NEEDED_REASONS: Final = (HARM_AVERTED, "graded-lower", "no-incident", "not-our-authority", "reported-by-group")


def clocks_for(facts: IncidentFacts) -> tuple[IncidentClock, ...]:
    """The clocks that run, the one that ends first before the others."""
    return tuple(sorted((clock for clock in CLOCKS if clock.applies(facts)), key=lambda clock: clock.limit))


def due_at(clock: IncidentClock, *, discovered_at: datetime) -> datetime:
    """The last moment at which a report is in time."""
    return discovered_at + clock.limit


def is_late(*, due: datetime, reported_at: datetime) -> bool:
    """Whether a report came after its time."""
    return reported_at > due


def reason_fits(clock_code: str, reason: str) -> bool:
    """Whether a report of this clock may be left out for this reason."""
    return reason in NOT_NEEDED_REASONS and (reason != HARM_AVERTED or clock_code == PERSONS_CLOCK)
