"""Shapes of the exception queue (例外队列) and of money in suspense (暂收)."""

from datetime import date, datetime
from typing import Any, Self

from api.bodies import Answer, Body
from api.wording import worded
from compliance.rules.results import reason_key
from models.domain.daily import CloseReason, DayStep, ExceptionState
from models.operations.daily_exceptions import can_retry
from models.tables.daily import BankReply, DailyException
from models.tables.installments import RuleVerdict
from models.texts.render import has_text


class ExceptionAnswer(Answer):
    """One thing that a step could not do. `rule` and `citation` name what stands against a debit that was barred."""

    id: str
    business_date: date
    step: DayStep
    target: str
    code: str
    code_text: str
    state: ExceptionState
    state_text: str
    tries: int
    rule: str | None
    rule_title: str | None
    citation: str | None
    can_retry: bool
    handled_by: str | None
    close_reason: CloseReason | None
    created_at: datetime
    done_at: datetime | None

    @classmethod
    def of(cls, item: DailyException, *, locale: str) -> Self:
        """From the row."""
        return cls(**exception_fields(item, locale=locale))


class RuleSaidAnswer(Answer):
    """What one rule said against a debit."""

    rule: str
    title: str
    citation: str
    result: str
    reason: str
    reason_text: str
    missing: tuple[str, ...]
    as_of: date
    rule_set_version: str

    @classmethod
    def of(cls, verdict: RuleVerdict, *, locale: str) -> Self:
        """From the stored verdict."""
        rule = verdict.rule_id
        return cls(
            rule=rule,
            title=worded(f"rule.{rule}.title", locale),
            citation=worded(f"rule.{rule}.citation", locale),
            result=verdict.result,
            reason=verdict.reason,
            reason_text=worded(reason_key(rule, verdict.reason), locale, verdict.params.get("text", {})),
            missing=tuple(verdict.missing),
            as_of=verdict.as_of,
            rule_set_version=verdict.rule_set_version,
        )


class ExceptionDetail(ExceptionAnswer):
    """One item with what it is about, as far as it names an agreement, and what the rules said."""

    agreement_id: str | None
    case_token: str | None
    verdicts: tuple[RuleSaidAnswer, ...]


class ExceptionPage(Answer):
    """Items, the oldest business date first; `next` is the cursor of the page after this one."""

    items: tuple[ExceptionAnswer, ...]
    next: str | None


class CloseBody(Body):
    """Why an item is closed without having been done."""

    reason: CloseReason


class SuspenseAnswer(Answer):
    """One entry of the bank that belongs to no order; below zero if money went back."""

    id: str
    status: str
    amount_minor: int
    value_date: date | None
    reference: str | None
    file_id: str
    created_at: datetime

    @classmethod
    def of(cls, reply: BankReply) -> Self:
        """From the bank's line."""
        return cls(
            id=reply.id,
            status=reply.status,
            amount_minor=signed_minor(reply),
            value_date=reply.value_date,
            reference=reply.end_to_end_id,
            file_id=reply.file_id,
            created_at=reply.created_at,
        )


class SuspensePage(Answer):
    """Entries in order of arrival, how many there are, and what they come to in minor units."""

    items: tuple[SuspenseAnswer, ...]
    next: str | None
    entries: int
    total_minor: int


def signed_minor(reply: BankReply) -> int:
    """What an entry brought, in minor units; below zero if it took money back."""
    return reply.amount_minor if reply.status == "SETTLED" else -reply.amount_minor


def exception_fields(item: DailyException, *, locale: str) -> dict[str, Any]:
    """The members that list and detail share."""
    rule = item.rule_id
    return {
        "id": item.id,
        "business_date": item.business_date,
        "step": DayStep(item.step),
        "target": item.target,
        "code": item.code,
        "code_text": _code_text(item.code, locale),
        "state": ExceptionState(item.state),
        "state_text": worded(f"exception-state.{item.state}", locale),
        "tries": item.tries,
        "rule": rule,
        "rule_title": worded(f"rule.{rule}.title", locale) if rule is not None else None,
        "citation": worded(f"rule.{rule}.citation", locale) if rule is not None else None,
        "can_retry": can_retry(item),
        "handled_by": item.handled_by,
        "close_reason": CloseReason(item.close_code) if item.close_code is not None else None,
        "created_at": item.created_at,
        "done_at": item.done_at,
    }


def _code_text(code: str, locale: str) -> str:
    """Words for a code: the queue's own, those of a problem or of a field, or the code itself."""
    for key in (f"exception.{code}", f"problem.{code}.title", f"field.{code}"):
        if has_text(key, locale):
            return worded(key, locale)
    return code
