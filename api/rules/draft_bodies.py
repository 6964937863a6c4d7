"""Shapes of what two persons settle: figures and switches (行内参数), bank calendars (银行工作日历)."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import Field

from api.bodies import Answer, Body, Sha256Hex
from api.wording import worded
from compliance.desk.parameters import PARAMETERS
from compliance.desk.policy import BankPolicy
from models.domain.bank_calendar import Difference, YearCalendar
from models.queries.rule_desk import DraftRecord

_SATURDAY: Final = 5
_Day: TypeAlias = date  # within answers that have a field of that name
Version = Annotated[str, Field(pattern=r"\A[a-z0-9][a-z0-9./-]{0,39}\Z")]


class PolicyBody(Body):
    """The whole policy, not a difference: what is left out holds as delivered."""

    version: Version
    valid_from: date
    parameters: Annotated[dict[str, int], Field(max_length=60)] = Field(default_factory=dict)
    switches: Annotated[dict[str, str], Field(max_length=400)] = Field(default_factory=dict)
    groups: Annotated[dict[str, str], Field(max_length=10)] = Field(default_factory=dict)


class CalendarBody(Body):
    """One whole year: every day once, as rows of `date`, `state` (`open` or `closed`) and `reason`."""

    year: int
    version: Version
    provisional: bool = False
    days: Annotated[list[dict[str, Any]], Field(max_length=400)]


class DraftDecisionBody(Body):
    """What the second person was shown."""

    shown_hash: Sha256Hex


class DraftAnswer(Answer):
    """A draft, who made it, and the second person's word."""

    id: str
    version: str
    valid_from: date
    state: str
    state_text: str
    shown_hash: str
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None


def _common(found: DraftRecord, locale: str) -> dict[str, Any]:
    row, decision = found.row, found.decision
    return {
        "id": row.id,
        "version": row.version,
        "valid_from": row.valid_from,
        "state": found.state.value,
        "state_text": worded(f"draft-state.{found.state}", locale),
        "shown_hash": row.shown_hash,
        "drafted_by": row.drafted_by,
        "drafted_at": row.drafted_at,
        "decided_by": decision.decided_by if decision is not None else None,
        "decided_at": decision.decided_at if decision is not None else None,
    }


class PolicyAnswer(DraftAnswer):
    """A policy: figures by name, severity by rule and by group of rules."""

    parameters: dict[str, int]
    switches: dict[str, str]
    groups: dict[str, str]

    @classmethod
    def of(cls, found: DraftRecord, *, locale: str) -> Self:
        """The answer for a draft of a policy."""
        return cls(**_common(found, locale), **found.row.definition)


class ParameterAnswer(Answer):
    """A figure that the bank may set; `limit` null: the law sets none. `value` null: as delivered."""

    name: str
    title: str
    rules: list[str]
    bound: str
    unit: str
    limit: int | None
    source: str
    value: int | None


class PoliciesAnswer(Answer):
    """Every figure with its limit on a day and the bank's value, the policy in force, and the drafts, newest first."""

    on: date
    in_force: str | None
    parameters: list[ParameterAnswer]
    switches: dict[str, str]
    groups: dict[str, str]
    items: list[PolicyAnswer]

    @classmethod
    def of(cls, policy: BankPolicy, found: list[DraftRecord], *, on: date, locale: str) -> Self:
        """The answer on a day."""
        record = policy.as_record()
        figures = [
            ParameterAnswer(
                name=each.name,
                title=worded(f"policy.parameter.{each.name}", locale),
                rules=list(each.rules),
                bound=each.bound.value,
                unit=each.unit.value,
                limit=each.legal_limit(on),
                source=each.source,
                value=policy.parameters.get(each.name),
            )
            for each in PARAMETERS.values()
        ]
        return cls(
            on=on,
            in_force=policy.version or None,
            parameters=figures,
            switches=record["switches"],
            groups=record["groups"],
            items=[PolicyAnswer.of(each, locale=locale) for each in found],
        )


class DayAnswer(Answer):
    """One day of a calendar."""

    date: date
    state: str
    reason: str


class DaysAnswer(Answer):
    """Every day of a year, as it can be uploaded again."""

    items: list[DayAnswer]


class DifferenceAnswer(Answer):
    """A day that changes; `before` null: the year had no calendar."""

    date: date
    before: str | None
    after: str
    reason: str

    @classmethod
    def of(cls, found: Difference) -> Self:
        """The answer for a difference."""
        before = None if found.before is None else _state(found.before)
        return cls(date=found.day, before=before, after=_state(found.after), reason=found.reason)


class CalendarAnswer(DraftAnswer):
    """A year's calendar: how many days are open, and every one that is not as its weekday says."""

    year: int
    provisional: bool
    open_days: int
    exceptions: list[DayAnswer]

    @classmethod
    def of(cls, found: DraftRecord, *, locale: str) -> Self:
        """The answer for a draft of a calendar."""
        calendar = YearCalendar.from_record(found.row.definition)
        return cls(
            **_common(found, locale),
            year=calendar.year,
            provisional=calendar.provisional,
            open_days=calendar.open_days.count("1"),
            exceptions=[
                DayAnswer(date=each.day, state=_state(each.is_open), reason=each.reason)
                for each in calendar.days()
                if each.is_open is (each.day.weekday() >= _SATURDAY) or each.reason
            ],
        )


class BankDayAnswer(Answer):
    """What a day is to the bank. `movedTo`: when a debit of this day is taken; null: its year is not announced."""

    date: date
    state: str
    moved_to: _Day | None
    provisional: bool


class YearAnswer(Answer):
    """Where a year's bank days come from: a calendar of the bank's own, the built-in table, or nowhere yet."""

    year: int
    source: str
    version: str | None
    provisional: bool


class CalendarsAnswer(Answer):
    """The years about the present one, and the drafts, newest first."""

    years: list[YearAnswer]
    items: list[CalendarAnswer]


class DifferencesAnswer(Answer):
    """What changes if one calendar takes the place of another. Orders that were made keep their dates."""

    before: str | None
    after: str
    items: list[DifferenceAnswer]


def _state(mark: object) -> str:
    return "open" if mark else "closed"
