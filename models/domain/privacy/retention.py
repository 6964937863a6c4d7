"""How long records are kept (保存期限), as data: which record, from which event, for how many years, by which source.

Periods count as the law does: the day of the event is not counted (民法典 Art. 201), the corresponding day is the
last one and belongs to the period (Arts. 202, 1259), and where a month has no such day its last one stands in. What is
kept through the last day may be deleted from the day after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from models.domain.rates.calendars import months_before

_MONTHS: Final = 12
MAX_YEARS: Final = 50  # beyond that somebody has mistyped


class Anchor(StrEnum):
    """The event from which a period runs."""

    RELATION_ENDED = "relation-ended"  # 业务关系结束
    TRANSACTION = "transaction"  # 交易发生
    CASE_ENDED = "case-ended"  # an application that came to no agreement
    CONTACT = "contact"  # 催收联系
    SETTLED = "settled"  # 欠款结清
    LIMITATION = "limitation"  # 诉讼时效最后一次中断
    USED = "used"  # it was used or has lost its meaning
    LEFT = "left"  # a member of staff has left


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionRule:
    """One rule; its words are the text `retention-rule.<id>`.

    Attributes:
        years: for how long from the anchor; with 0 the day of the event is the last one.
        by_law: a law sets the period: a bank may keep longer and never shorter. Otherwise the figure is the bank's.
        source: where the figure comes from.
    """

    id: str
    anchor: Anchor
    years: int
    by_law: bool
    source: str


RULES: Final = {
    rule.id: rule
    for rule in (
        RetentionRule(
            id="AML-34c-identity",
            anchor=Anchor.RELATION_ENDED,
            years=10,
            by_law=True,
            source="反洗钱法 (2024) Art. 34",
        ),
        RetentionRule(
            id="AML-34c-transaction",
            anchor=Anchor.TRANSACTION,
            years=10,
            by_law=True,
            source="反洗钱法 (2024) Art. 34",
        ),
        RetentionRule(
            id="CCM-68c",
            anchor=Anchor.CONTACT,
            years=2,
            by_law=True,
            source="商业银行信用卡业务监督管理办法 Art. 68",
        ),
        RetentionRule(
            id="CCM-70f",
            anchor=Anchor.SETTLED,
            years=0,
            by_law=True,
            source="商业银行信用卡业务监督管理办法 Art. 70 (end of the sentence from memory: provisional)",
        ),
        RetentionRule(
            id="CC-188",
            anchor=Anchor.LIMITATION,
            years=3,
            by_law=True,
            source="民法典 Arts. 188, 195",
        ),
        RetentionRule(
            id="recording",
            anchor=Anchor.SETTLED,
            years=5,
            by_law=False,
            source="product default; the bank sets its own",
        ),
        RetentionRule(
            id="application",
            anchor=Anchor.CASE_ENDED,
            years=3,
            by_law=False,
            source="product default after 民法典 Art. 188; the bank sets its own",
        ),
        RetentionRule(
            id="authentication",
            anchor=Anchor.USED,
            years=0,
            by_law=False,
            source="JR/T 0171-2020: nothing of it is kept",
        ),
        RetentionRule(
            id="staff",
            anchor=Anchor.LEFT,
            years=10,
            by_law=False,
            source="product default: as long as what they decided is kept",
        ),
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionPolicy:
    """What a bank has set (机构保存期限参数), in versions.

    Attributes:
        years: by rule, where the bank keeps for another period than the rule's own.
        lock_after_days: days after the end of the last case from which data that a law still keeps are locked: stored
            and protected, processed in no other way (个人信息保护法 Art. 47).
    """

    version: str
    source: str
    years: Mapping[str, int] = field(default_factory=dict)
    lock_after_days: int = 180

    def __post_init__(self) -> None:
        """Refuse what no bank may set.

        Raises:
            ValueError: naming the rule and the bound.
        """
        for rule_id, years in self.years.items():
            rule = RULES.get(rule_id)
            if rule is None:
                raise ValueError(f"there is no retention rule {rule_id}")
            least = rule.years if rule.by_law else 0
            if not least <= years <= MAX_YEARS:
                raise ValueError(f"{rule_id} is kept for {least} to {MAX_YEARS} years")
        if not 0 <= self.lock_after_days <= MAX_YEARS * 366:
            raise ValueError("lock_after_days is a number of days")

    def years_of(self, rule: RetentionRule) -> int:
        """For how many years this bank keeps what the rule is about."""
        return self.years.get(rule.id, rule.years)

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "version": self.version,
            "source": self.source,
            "years": dict(self.years),
            "lock_after_days": self.lock_after_days,
        }

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "RetentionPolicy":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        return cls(**kept)


DEFAULT_RETENTION: Final = RetentionPolicy(
    version="retention/2026-11",
    source="product default: the periods of the law, and three to five years where there is none",
)


def last_day(rule: RetentionRule, event_on: date, policy: RetentionPolicy = DEFAULT_RETENTION) -> date:
    """The last day through which the record is kept."""
    return months_before(event_on, -_MONTHS * policy.years_of(rule))


def due_from(rule: RetentionRule, event_on: date, policy: RetentionPolicy = DEFAULT_RETENTION) -> date:
    """The first day on which the record may be deleted."""
    return last_day(rule, event_on, policy) + timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonDates:
    """The events of one person from which periods run; None where there was none.

    Attributes:
        open_cases: cases that have not ended.
        in_service: agreements that are not closed.
        had_agreement: at least one agreement was signed, so that there was a business relation of its own.
        relation_ended_on: the last end of a case or close of an agreement.
        oral: something was agreed by a recorded talk.
    """

    open_cases: int = 0
    in_service: int = 0
    had_agreement: bool = False
    relation_ended_on: date | None = None
    last_transaction_on: date | None = None
    settled_on: date | None = None
    last_collection_on: date | None = None
    last_limitation_on: date | None = None
    oral: bool = False


class Bar(StrEnum):
    """Why somebody's data cannot be deleted where no period says so; rules say so by their own id."""

    OPEN_CASE = "open-case"
    IN_SERVICE = "agreement-in-service"
    LEGAL_HOLD = "legal-hold"
    RELATION = "relation-stands"


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """One thing that stands against deletion.

    Attributes:
        rule: a `Bar`, or the id of a retention rule.
        until: the last day on which it stands; None while nobody can say.
        event_on: the day from which the period runs.
    """

    rule: str
    until: date | None = None
    event_on: date | None = None


def periods(dates: PersonDates, policy: RetentionPolicy = DEFAULT_RETENTION) -> tuple[Obstacle, ...]:
    """Every period that runs, or ran, for a person, over or not; the longest first."""
    anchors: list[tuple[str, date | None]] = [
        ("CCM-68c", dates.last_collection_on),
        ("recording", dates.settled_on if dates.last_collection_on is not None else None),
        ("CC-188", dates.last_limitation_on),
    ]
    if dates.had_agreement:
        anchors += [
            ("AML-34c-identity", dates.relation_ended_on),
            ("AML-34c-transaction", dates.last_transaction_on),
            ("CCM-70f", dates.settled_on if dates.oral else None),
        ]
    else:
        anchors.append(("application", dates.relation_ended_on))
    found = [
        Obstacle(rule=rule_id, until=last_day(RULES[rule_id], event_on, policy), event_on=event_on)
        for rule_id, event_on in anchors
        if event_on is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.until or date.max, each.rule), reverse=True))


def obstacles(
    dates: PersonDates, *, today: date, holds: int = 0, policy: RetentionPolicy = DEFAULT_RETENTION
) -> tuple[Obstacle, ...]:
    """What stands against deleting a person's data today; empty if nothing does."""
    bars = (
        (Bar.LEGAL_HOLD, holds),
        (Bar.OPEN_CASE, dates.open_cases),
        (Bar.IN_SERVICE, dates.in_service),
    )
    standing = [Obstacle(rule=bar.value) for bar, count in bars if count]
    running = [each for each in periods(dates, policy) if each.until is not None and each.until >= today]
    return (*standing, *running)


def until_when(standing: tuple[Obstacle, ...]) -> date | None:
    """The last day of all obstacles; None if one of them has no day."""
    days = [each.until for each in standing]
    return None if None in days or not days else max(day for day in days if day is not None)
