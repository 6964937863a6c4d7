"""From what a document says to what its template prints: figures as text, accounts masked, nothing left to work out.

Pure. Texts of people pass through as strings; a template shows a string as it is and never reads it as markup.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from activities.documents.content import (
    Agreement,
    AnnualRate,
    CloseLetter,
    CostStatement,
    Customer,
    DebitMandate,
    DefaultNotice,
    Document,
    Heading,
    Institution,
)
from activities.documents.figures import amount_in_words, percent
from compliance.vault.masking import mask_card, mask_id_number
from models.domain.schedules.rows import Row, Schedule
from models.texts.formats import format_amount, format_date, format_money
from models.texts.render import Locale

TEMPLATES: Final[dict[type[Document], str]] = {
    Agreement: "agreement",
    CostStatement: "cost-statement",
    CloseLetter: "close-letter",
    DefaultNotice: "default-notice",
}


def template_data(content: Document, *, locale: Locale) -> dict[str, Any]:
    """What the template of `content` reads, as values of JSON."""
    match content:
        case Agreement():
            body = _agreement(content, _Words(content.currency, locale))
        case CostStatement():
            body = _cost_statement(content, _Words(content.currency, locale))
        case CloseLetter():
            body = _close_letter(content, _Words(content.currency, locale))
        case DefaultNotice():
            body = _default_notice(content, _Words(content.currency, locale))
    parties = {"lender": _institution(content.lender), "currency": content.currency}
    data: dict[str, Any] = _heading(content.heading, locale=locale) | parties | body
    return _one_line(data)


class _Words:
    """Figures in the currency and language of one document."""

    def __init__(self, currency: str, locale: Locale) -> None:
        self._currency, self._locale = currency, locale

    def money(self, amount_minor: int) -> str:
        return format_money(amount_minor, currency=self._currency)

    def amount(self, amount_minor: int) -> str:
        return format_amount(amount_minor, currency=self._currency)

    def spelled(self, amount_minor: int) -> str | None:
        """The amount in characters that cannot be altered, where that is customary."""
        return amount_in_words(amount_minor) if (self._currency, self._locale) == ("CNY", "zh-CN") else None

    def day(self, day: date) -> str:
        return format_date(day, locale=self._locale)


def _heading(heading: Heading, *, locale: Locale) -> dict[str, Any]:
    made = heading.made_on
    return {
        "id": heading.document_id,
        "hash": heading.plan_hash,
        "version": heading.version,
        "made": format_date(made, locale=locale),
        "madeOn": {"year": made.year, "month": made.month, "day": made.day},
    }


def _institution(institution: Institution) -> dict[str, str]:
    return {
        "name": institution.name,
        "address": institution.address,
        "hotline": institution.hotline,
        "complaints": institution.complaints,
    }


def _signatory(customer: Customer) -> dict[str, str]:
    """A party to a contract is identified in full."""
    return {
        "name": customer.name,
        "idType": customer.id_type,
        "idNumber": customer.id_number,
        "mobile": customer.mobile,
        "address": customer.address,
    }


def _addressee(customer: Customer) -> dict[str, str]:
    """A letter is seen by others: as little as names the customer."""
    return {"name": customer.name, "idType": customer.id_type, "idNumber": mask_id_number(customer.id_number)}


def _rate(rate: AnnualRate) -> dict[str, str]:
    return {"method": rate.method, "value": percent(rate.value)}


def _agreement(content: Agreement, words: _Words) -> dict[str, Any]:
    owed = sum(part.amount_minor for part in content.debt)
    principal = content.schedule.principal_minor
    return {
        "borrower": _signatory(content.borrower),
        "card": mask_card(content.card_number),
        "debt": {
            "asOf": words.day(content.debt_as_of),
            "parts": [{"kind": part.kind, "amount": words.amount(part.amount_minor)} for part in content.debt],
            "total": words.amount(owed),
            "totalMoney": words.money(owed),
            "waived": words.amount(-content.waived_minor) if content.waived_minor else None,
            "agreed": words.amount(principal),
            "agreedMoney": words.money(principal),
            "agreedWords": words.spelled(principal),
        },
        "plan": {"cycle": content.cycle, "method": content.method} | _plan(content.schedule, words),
        "rates": [_rate(rate) for rate in content.rates],
        "charges": [
            {"kind": charge.kind, "charged": charge.charged, "standard": charge.standard} for charge in content.charges
        ],
        "breach": {
            "graceDays": content.breach.grace_days,
            "missedRows": content.breach.missed_rows,
            "rate": percent(content.breach.overdue_rate) if content.breach.overdue_rate else None,
        },
        "mandate": _mandate(content.mandate, words) if content.mandate is not None else None,
        "terms": list(content.other_terms),
        "form": content.form,
    }


def _plan(schedule: Schedule, words: _Words) -> dict[str, Any]:
    rows = schedule.rows
    total = sum(row.total_minor for row in rows)
    left = schedule.principal_minor
    lines = []
    for row in rows:
        left -= row.principal_minor
        lines.append(_row(row, left, words))
    return {
        "count": len(rows),
        "first": words.day(rows[0].due),
        "last": words.day(rows[-1].due),
        "rows": lines,
        "sum": {
            "principal": words.amount(sum(row.principal_minor for row in rows)),
            "interest": words.amount(sum(row.interest_minor for row in rows)),
            "fee": words.amount(sum(row.fee_minor for row in rows)),
            "total": words.amount(total),
        },
        "totalMoney": words.money(total),
        "totalWords": words.spelled(total),
        "hasInterest": any(row.interest_minor for row in rows),
        "hasFees": any(row.fee_minor for row in rows),
        "interestMoney": words.money(sum(row.interest_minor for row in rows)),
        "feeMoney": words.money(sum(row.fee_minor for row in rows)),
        "costMoney": words.money(total - schedule.principal_minor),
    }


def _row(row: Row, left_minor: int, words: _Words) -> dict[str, str]:
    return {
        "no": str(row.no),
        "due": row.due.isoformat(),
        "principal": words.amount(row.principal_minor),
        "interest": words.amount(row.interest_minor),
        "fee": words.amount(row.fee_minor),
        "total": words.amount(row.total_minor),
        "left": words.amount(left_minor),
    }


def _mandate(mandate: DebitMandate, words: _Words) -> dict[str, str]:
    return {
        "payee": mandate.payee_name,
        "payer": mandate.payer_name,
        "bank": mandate.payer_bank,
        "account": mask_card(mandate.payer_account),
        "limit": words.money(mandate.limit_minor),
        "from": words.day(mandate.valid_from),
        "to": words.day(mandate.valid_to),
    }


def _cost_statement(content: CostStatement, words: _Words) -> dict[str, Any]:
    cost = sum(item.amount_minor for item in content.items)
    return {
        "borrower": _addressee(content.borrower),
        "principal": words.money(content.principal_minor),
        "principalWords": words.spelled(content.principal_minor),
        "count": content.rows,
        "first": words.day(content.first_due),
        "last": words.day(content.last_due),
        "method": content.method,
        "items": [
            {
                "name": item.name,
                "method": item.method,
                "standard": item.standard,
                "by": item.charged_by,
                "amount": words.amount(item.amount_minor),
                "rate": percent(item.annual_rate),
            }
            for item in content.items
        ],
        "cost": words.money(cost),
        "costAmount": words.amount(cost),
        "total": _rate(content.total),
        "contingent": [
            {"name": item.name, "condition": item.condition, "standard": item.standard, "by": item.charged_by}
            for item in content.contingent
        ],
        "form": content.form,
    }


def _close_letter(content: CloseLetter, words: _Words) -> dict[str, Any]:
    return {
        "borrower": _addressee(content.borrower),
        "agreement": content.agreement_id,
        "signedOn": words.day(content.signed_on),
        "settledOn": words.day(content.settled_on),
        "settlement": content.settlement,
        "principal": words.money(content.principal_minor),
        "paid": words.money(content.paid_minor),
        "card": mask_card(content.card_number, on_statement=True),
    }


def _default_notice(content: DefaultNotice, words: _Words) -> dict[str, Any]:
    missed = sum(row.open_minor for row in content.missed)
    return {
        "borrower": _addressee(content.borrower),
        "agreement": content.agreement_id,
        "signedOn": words.day(content.signed_on),
        "asOf": words.day(content.as_of),
        "missed": [
            {
                "no": str(row.no),
                "due": row.due.isoformat(),
                "open": words.amount(row.open_minor),
                "days": str(row.days_past_due),
            }
            for row in content.missed
        ],
        "missedTotal": words.amount(missed),
        "interest": words.money(content.overdue_interest_minor),
        "toPay": words.money(missed + content.overdue_interest_minor),
        "remaining": words.money(content.remaining_minor),
        "payBy": words.day(content.pay_by),
    }


def _one_line(data: dict[str, Any]) -> dict[str, Any]:
    """Runs of blanks and line breaks become one blank: no text of a person can move what stands below it."""
    return {key: _flat(value) for key, value in data.items()}


def _flat(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {key: _flat(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_flat(inner) for inner in value]
    return value


def texts_of(value: Any, *, path: str = "") -> Iterable[tuple[str, str]]:
    """Every text within a template's data with the path of its field: `borrower.name`, `terms.0`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_of(inner, path=f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_of(inner, path=f"{path}.{index}")
