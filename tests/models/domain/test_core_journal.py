"""Reconciling a day: every account that does not agree is told of, and nothing else."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from models.domain.core_journal import (
    AccountTotals,
    Difference,
    DifferenceKind,
    JournalFile,
    JournalLine,
    control_totals,
    differences,
    totals_by_account,
)

Entries = list[tuple[str, int]]
ENTRIES: Entries = [("principal", 150_000), ("cash", -150_000), ("cash", 20_000), ("interest", -20_000)]


def journal(entries: Entries) -> JournalFile:
    lines = tuple(
        JournalLine(reference=f"GL-{no}", account=account, amount_minor=amount)
        for no, (account, amount) in enumerate(entries)
    )
    return JournalFile(
        tenant="main",
        business_date=date(2026, 11, 23),
        currency="CNY",
        lines=lines,
        control=control_totals(lines),
    )


def compare(core: Entries, ours: Entries) -> tuple[Difference, ...]:
    return differences(journal(core), ours=totals_by_account(ours))


def test_a_day_that_agrees_has_no_differences() -> None:
    assert compare(ENTRIES, list(reversed(ENTRIES))) == ()
    assert compare([], []) == ()


def test_each_side_that_lacks_an_account_is_told_apart() -> None:
    found = compare([("principal", 100), ("fees", -5)], [("principal", 99), ("penalty", 7)])
    assert [(each.account, each.kind, each.net_minor) for each in found] == [
        ("fees", DifferenceKind.CORE_ONLY, -5),
        ("penalty", DifferenceKind.OURS_ONLY, -7),
        ("principal", DifferenceKind.AMOUNT, 1),
    ]


def test_a_booking_that_one_side_reversed_is_seen_though_the_balance_agrees() -> None:
    (found,) = compare([("cash", 100), ("cash", -100)], [("cash", 0)])
    assert (found.kind, found.net_minor) == (DifferenceKind.AMOUNT, 0)
    assert (found.core, found.ours) == (AccountTotals(debit_minor=100, credit_minor=100), AccountTotals())


def test_control_totals_count_both_sides() -> None:
    control = journal(ENTRIES).control
    assert (control.count, control.debit_minor, control.credit_minor) == (4, 170_000, 170_000)


_ENTRIES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-(10**9), 10**9).filter(bool)), max_size=8)


@given(core=_ENTRIES, ours=_ENTRIES)
def test_differences_explain_the_whole_gap(core: Entries, ours: Entries) -> None:
    gap = sum(amount for _, amount in core) - sum(amount for _, amount in ours)
    assert sum(each.net_minor for each in compare(core, ours)) == gap


@given(entries=_ENTRIES, changed=st.integers(0, 7), by=st.integers(-5, 5).filter(bool))
def test_one_changed_entry_is_found_in_its_account_alone(entries: Entries, changed: int, by: int) -> None:
    if changed >= len(entries) or entries[changed][1] + by == 0:
        return
    account, amount = entries[changed]
    ours = [*entries[:changed], (account, amount + by), *entries[changed + 1 :]]
    assert [each.account for each in compare(entries, ours)] == [account]
