"""The figures that law leaves to the bank (行内参数): their meaning, the rules they tighten, the limit of the law.

A bank parameter never replaces a rule: the rule is asked first, with its own figures; only where the rule finds nothing
against the facts is the bank's figure asked, which can be no looser than the limit of the law on the day from which it
holds. What a rule already compares with is read from the rule, so that a limit that the law changes changes here too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any, Final

from compliance.rules.periods import years_after
from compliance.rules.registry import rule_on

Facts = Mapping[str, Any]
"""Facts by name, all of them known."""


class Bound(StrEnum):
    """On which side of the figure facts must lie; both include it (民法典 Art. 1259)."""

    AT_MOST = "at-most"
    AT_LEAST = "at-least"


class Unit(StrEnum):
    """What the figure counts."""

    MONTHS = "months"
    DAYS = "days"
    YEARS = "years"
    SECONDS = "seconds"
    MINOR = "minor"  # minor units
    TIMES = "times"
    HOUR = "hour"  # of the clock where the person is
    PERCENT = "percent"


@dataclass(frozen=True, kw_only=True, slots=True)
class BankParameter:
    """One figure that a bank may set.

    Attributes:
        rules: the rules that it tightens.
        bound: whether facts must stay below or above; the bank may only move the figure to the stricter side.
        limit_of: rule and name of the rule's own parameter that is the limit; its last member, if it has several.
        limit: the limit where no parameter of a rule says it; None: the law sets none.
        facts: what is looked at; all of them belong to the facts of each rule.
        keeps: whether facts keep to a figure that holds since a day.
    """

    name: str
    rules: tuple[str, ...]
    bound: Bound
    unit: Unit
    facts: tuple[str, ...]
    keeps: Callable[[Facts, int, date], bool]
    limit_of: tuple[str, str] | None = None
    limit: int | None = None
    source: str

    def legal_limit(self, on: date) -> int | None:
        """The figure that the bank may not pass, on a day; None: the law sets none."""
        if self.limit_of is None:
            return self.limit
        rule = rule_on(self.limit_of[0], as_of=on)
        found = next((each.value for each in rule.params if each.name == self.limit_of[1]), None) if rule else None
        return found if isinstance(found, int) else self.limit

    def loosens(self, value: int, *, on: date) -> bool:
        """Whether a figure would allow what the law forbids."""
        limit = self.legal_limit(on)
        if limit is None:
            return False
        return value > limit if self.bound is Bound.AT_MOST else value < limit


def _reminded(facts: Facts, days: int, since: date) -> bool:
    """Early enough; nobody had to be reminded on a day on which the figure did not hold yet."""
    latest = facts["row_due_on"] - timedelta(days=days)
    return bool(latest < since or facts["reminder_sent_on"] <= latest)


def _kept(facts: Facts, years: int, _since: date) -> bool:
    begins = max(facts["relation_ended_on"], facts["last_transaction_on"])
    return bool(facts["records_kept_until"] >= years_after(begins, years))


def _in_proportion(facts: Facts, percent: int, _since: date) -> bool:
    return bool(facts["penalty_rate_ppm"] * 100 <= facts["loss_rate_ppm"] * percent)


def _most(fact: str) -> Callable[[Facts, int, date], bool]:
    return lambda facts, value, _since: bool(facts[fact] <= value)


def _least(fact: str) -> Callable[[Facts, int, date], bool]:
    return lambda facts, value, _since: bool(facts[fact] >= value)


def _below(fact: str) -> Callable[[Facts, int, date], bool]:
    """Counted before the next one, which must not go over."""
    return lambda facts, value, _since: bool(facts[fact] < value)


_HOURS: Final = "催收工作指引（试行）: 08:00 to 22:00"

_ALL: Final = (
    BankParameter(
        name="max_term_months",
        rules=("CCM-70b", "CCN22-TERM"),
        bound=Bound.AT_MOST,
        unit=Unit.MONTHS,
        facts=("term_months",),
        keeps=_most("term_months"),
        limit_of=("CCM-70b", "max_term_months"),
        limit=60,
        source="商业银行信用卡业务监督管理办法 Art. 70; 银保监规〔2022〕13号",
    ),
    BankParameter(
        name="cash_max_minor",
        rules=("CCN22-CASH",),
        bound=Bound.AT_MOST,
        unit=Unit.MINOR,
        facts=("principal_cny_minor",),
        keeps=_most("principal_cny_minor"),
        limit_of=("CCN22-CASH", "max_amount_minor"),
        limit=5_000_000,
        source="银保监规〔2022〕13号",
    ),
    BankParameter(
        name="cash_max_months",
        rules=("CCN22-CASH",),
        bound=Bound.AT_MOST,
        unit=Unit.MONTHS,
        facts=("term_months",),
        keeps=_most("term_months"),
        limit_of=("CCN22-CASH", "max_term_months"),
        limit=24,
        source="银保监规〔2022〕13号",
    ),
    BankParameter(
        name="min_amount_minor",
        rules=("CCN22-RANGE",),
        bound=Bound.AT_LEAST,
        unit=Unit.MINOR,
        facts=("principal_minor",),
        keeps=_least("principal_minor"),
        source="银保监规〔2022〕13号: the bank sets the lowest amount; within the product definition",
    ),
    BankParameter(
        name="max_amount_minor",
        rules=("CCN22-RANGE",),
        bound=Bound.AT_MOST,
        unit=Unit.MINOR,
        facts=("principal_minor",),
        keeps=_most("principal_minor"),
        source="银保监规〔2022〕13号: the bank sets the highest amount; within the product definition",
    ),
    BankParameter(
        name="penalty_percent",
        rules=("SPC-CONTRACT-65",),
        bound=Bound.AT_MOST,
        unit=Unit.PERCENT,
        facts=("penalty_rate_ppm", "loss_rate_ppm"),
        keeps=_in_proportion,
        limit_of=("SPC-CONTRACT-65", "percent_of_loss"),
        limit=130,
        source="法释〔2023〕13号 Art. 65",
    ),
    BankParameter(
        name="reading_seconds",
        rules=("AIC26-ONLINE",),
        bound=Bound.AT_LEAST,
        unit=Unit.SECONDS,
        facts=("statement_read_seconds",),
        keeps=_least("statement_read_seconds"),
        limit_of=("AIC26-ONLINE", "reading_seconds"),
        limit=10,
        source="金规〔2026〕2号 demands a forced reading time; the figure of the rule set is the least",
    ),
    BankParameter(
        name="reminder_lead_days",
        rules=("CCM-67",),
        bound=Bound.AT_LEAST,
        unit=Unit.DAYS,
        facts=("reminder_sent_on", "row_due_on"),
        keeps=_reminded,
        limit=1,
        source="商业银行信用卡业务监督管理办法 Art. 67: before the due date",
    ),
    BankParameter(
        name="max_dials_per_day",
        rules=("COLL-CBA-DIAL",),
        bound=Bound.AT_MOST,
        unit=Unit.TIMES,
        facts=("dials_today",),
        keeps=_below("dials_today"),
        limit_of=("COLL-CBA-DIAL", "max_dials"),
        limit=6,
        source="催收工作指引（试行）: 不宜超过6次",
    ),
    BankParameter(
        name="max_calls_per_day",
        rules=("COLL-GB-CALLS",),
        bound=Bound.AT_MOST,
        unit=Unit.TIMES,
        facts=("effective_calls_today",),
        keeps=_below("effective_calls_today"),
        limit_of=("COLL-GB-CALLS", "max_calls"),
        limit=3,
        source="GB/T 45251-2025",
    ),
    BankParameter(
        name="first_contact_hour",
        rules=("COLL-CBA-HOURS",),
        bound=Bound.AT_LEAST,
        unit=Unit.HOUR,
        facts=("contact_local_time", "contact_hours_consent"),
        keeps=lambda facts, hour, _since: bool(
            facts["contact_hours_consent"] or facts["contact_local_time"] >= time(hour)
        ),
        limit=8,
        source=_HOURS,
    ),
    BankParameter(
        name="last_contact_hour",
        rules=("COLL-CBA-HOURS",),
        bound=Bound.AT_MOST,
        unit=Unit.HOUR,
        facts=("contact_local_time", "contact_hours_consent"),
        keeps=lambda facts, hour, _since: bool(
            facts["contact_hours_consent"] or facts["contact_local_time"] < time(hour)
        ),
        limit=22,
        source=_HOURS,
    ),
    BankParameter(
        name="recording_retention_months",
        rules=("CCM-68c",),
        bound=Bound.AT_LEAST,
        unit=Unit.MONTHS,
        facts=("recording_retention_months",),
        keeps=_least("recording_retention_months"),
        limit_of=("CCM-68c", "least_retention_months"),
        limit=24,
        source="商业银行信用卡业务监督管理办法 Art. 68",
    ),
    BankParameter(
        name="record_retention_years",
        rules=("AML-34c",),
        bound=Bound.AT_LEAST,
        unit=Unit.YEARS,
        facts=("records_kept_until", "relation_ended_on", "last_transaction_on"),
        keeps=_kept,
        limit_of=("AML-34c", "years"),
        limit=10,
        source="反洗钱法 Art. 34",
    ),
)
PARAMETERS: Final[dict[str, BankParameter]] = {each.name: each for each in _ALL}
# Beyond these a figure is a slip of the finger, whatever the law allows.
HIGHEST: Final[dict[Unit, int]] = {
    Unit.MONTHS: 1_200,
    Unit.DAYS: 60,
    Unit.YEARS: 100,
    Unit.SECONDS: 600,
    Unit.TIMES: 100,
    Unit.HOUR: 23,
    Unit.PERCENT: 1_000,
    Unit.MINOR: 10**12,
}
