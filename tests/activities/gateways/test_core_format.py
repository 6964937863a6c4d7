"""Daily files of the core: what is written is read back, and everything that is wrong is named by line, field, rule."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.gateways.core import CardBalances
from activities.gateways.core_format import (
    MAX_LINE_BYTES,
    CoreRule,
    balances_text,
    journal_text,
    read_balances,
    read_journal,
)
from models.domain.core_journal import JournalFile, JournalLine, control_totals
from models.domain.rule_words import DueDiligence
from models.errors import CoreFileUnreadable
from models.texts.render import LOCALES, has_text

DAY = date(2026, 11, 23)
GOOD = """H,casework-core-journal,1,main,2026-11-23,CNY
D,1,GL-1,principal,D,150000
D,2,GL-2,cash,C,150000
T,2,150000,150000
"""
CARD = "6229990000001230"
BALANCES = f"""H,casework-core-balances,2,main,2026-11-23,CNY
D,1,6259990000001237,0,0,0,0,-500,0,current
D,2,{CARD},120000,30000,1500,2750,9000,95,overdue
T,2,162750
"""
FIRST_VERSION = BALANCES.replace("balances,2", "balances,1").replace(",0,current", "").replace(",95,overdue", "")


def read(text: str, *, tenant: str = "main", day: date = DAY) -> JournalFile:
    return read_journal(io.BytesIO(text.encode()), tenant=tenant, business_date=day)


def balances(text: str, *, card: str = CARD) -> CardBalances | None:
    return read_balances(io.BytesIO(text.encode()), tenant="main", business_date=DAY, card_number=card)


def test_a_good_journal_is_read_with_our_signs() -> None:
    journal = read(GOOD)
    assert [(line.account, line.amount_minor) for line in journal.lines] == [("principal", 150_000), ("cash", -150_000)]
    assert read(GOOD.replace("\n", "\r\n")) == journal


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "rule"),
    [
        (GOOD, "", 1, "record", CoreRule.RECORD),
        ("H,", "X,", 1, "record", CoreRule.RECORD),
        (",CNY", "", 1, "record", CoreRule.FIELDS),
        (",1,main", ",2,main", 1, "version", CoreRule.EXPECTED),
        ("main", "other", 1, "tenant", CoreRule.EXPECTED),
        ("11-23", "11-24", 1, "businessDate", CoreRule.EXPECTED),
        ("journal", "balances", 1, "format", CoreRule.EXPECTED),
        ("CNY", "yuan", 1, "currency", CoreRule.FORM),
        ("D,2,", "D,3,", 3, "number", CoreRule.NUMBER),
        ("D,1,GL-1,principal,D,150000\n", "", 2, "number", CoreRule.NUMBER),
        ("GL-2", "GL-1", 3, "reference", CoreRule.DUPLICATE),
        ("GL-2", "GL 2", 3, "reference", CoreRule.FORM),
        ("cash", CARD, 3, "account", CoreRule.FORM),
        (",C,", ",K,", 3, "side", CoreRule.FORM),
        ("C,150000", "C,0", 3, "amount", CoreRule.FORM),
        ("C,150000", "C,-150000", 3, "amount", CoreRule.FORM),
        ("C,150000", "C,1500.00", 3, "amount", CoreRule.FORM),
        ("C,150000", "C,0150000", 3, "amount", CoreRule.FORM),
        ("C,150000", "C,１５００", 3, "line", CoreRule.CHARSET),
        ("C,150000", "C,150000,", 3, "record", CoreRule.FIELDS),
        ("cash", "c" * MAX_LINE_BYTES, 3, "line", CoreRule.TOO_LARGE),
        ("D,2", "E,2", 3, "record", CoreRule.RECORD),
        ("T,2,150000,150000\n", "", 4, "record", CoreRule.TRAILER),
        ("T,2,150000,150000\n", "T,2,150000,150000\n\n", 5, "record", CoreRule.TRAILER),
        ("T,2", "T,3", 4, "count", CoreRule.TOTAL),
        ("T,2,150000", "T,2,150001", 4, "debitSum", CoreRule.TOTAL),
        (",150000\n", ",150001\n", 4, "creditSum", CoreRule.TOTAL),
        ("T,2,150000", "T,2,+150000", 4, "debitSum", CoreRule.FORM),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, line: int, field: str, rule: CoreRule) -> None:
    head, found, tail = GOOD.rpartition(old)
    assert found
    with pytest.raises(CoreFileUnreadable) as broken:
        read(head + new + tail)
    assert broken.value.params == {"line": line, "field": field, "rule": rule.value}
    (fault,) = broken.value.faults
    assert (fault.pointer, fault.code) == (f"/{line}/{field}", rule.value)
    assert fault.params["line"] == line


@pytest.mark.parametrize("rule", list(CoreRule))
@pytest.mark.parametrize("locale", LOCALES)
def test_every_rule_has_words(rule: CoreRule, locale: str) -> None:
    assert has_text(f"field.{rule.value}", locale)


@given(cut=st.integers(min_value=0, max_value=len(GOOD) - 2))
def test_a_journal_cut_short_anywhere_is_never_taken(cut: int) -> None:
    with pytest.raises(CoreFileUnreadable):
        read(GOOD[:cut])


_LINES = st.lists(
    st.tuples(st.sampled_from(["principal", "interest", "cash"]), st.integers(-(10**12), 10**12).filter(bool)),
    max_size=20,
)


@given(entries=_LINES)
def test_what_is_written_is_read_back(entries: list[tuple[str, int]]) -> None:
    lines = tuple(
        JournalLine(reference=f"GL-{no}", account=account, amount_minor=amount)
        for no, (account, amount) in enumerate(entries)
    )
    journal = JournalFile(tenant="main", business_date=DAY, currency="CNY", lines=lines, control=control_totals(lines))
    assert read("".join(journal_text(journal))) == journal


def test_one_cards_balances_are_found_among_others() -> None:
    found = balances(BALANCES)
    assert found == CardBalances(
        "CNY", 120_000, 30_000, 1_500, 2_750, 9_000, days_past_due=95, due_diligence=DueDiligence.OVERDUE
    )
    assert balances(BALANCES, card="6289990000001234") is None
    other = CardBalances("CNY", 0, 0, 0, 0, -500, days_past_due=0, due_diligence=DueDiligence.CURRENT)
    cards = [("6259990000001237", other), (CARD, found)]
    assert "".join(balances_text(cards, tenant="main", business_date=DAY, currency="CNY")) == BALANCES


def test_an_extract_of_the_first_version_says_nothing_of_age_and_due_diligence() -> None:
    found = balances(FIRST_VERSION)
    assert found == CardBalances("CNY", 120_000, 30_000, 1_500, 2_750, 9_000)
    with pytest.raises(ValueError, match="every card"):
        list(balances_text([(CARD, found)], tenant="main", business_date=DAY, currency="CNY"))


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "rule"),
    [
        ("6259990000001237", CARD, 3, "card", CoreRule.DUPLICATE),
        ("6259990000001237", "NO-CARD", 2, "card", CoreRule.FORM),
        ("overdue", "fine", 3, "dueDiligence", CoreRule.FORM),
        (",95,", ",-1,", 3, "daysPastDue", CoreRule.FORM),
        ("-500", "-0", 2, "runningInstallments", CoreRule.FORM),
        ("162750", "162751", 4, "sum", CoreRule.TOTAL),
        ("T,2", "T,1", 4, "count", CoreRule.TOTAL),
    ],
)
def test_balances_that_do_not_hold_are_refused_as_a_whole(
    old: str, new: str, line: int, field: str, rule: CoreRule
) -> None:
    with pytest.raises(CoreFileUnreadable) as broken:
        balances(BALANCES.replace(old, new))
    assert broken.value.params == {"line": line, "field": field, "rule": rule.value}
    assert CARD not in f"{broken.value} {broken.value.faults}"
