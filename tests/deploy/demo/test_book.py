"""The book: people who could exist, numbers that pass our own checks, and the same file for the same seed."""

import re
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.demo.book import BOOK_DAY, COLUMNS, BookRow, generate_book, read_book, write_book
from deploy.demo.regions import REGIONS
from models.domain.affordability import Finances, assess
from models.domain.bank_card import check_bank_card, is_synthetic_card
from models.domain.identifiers import IdType, canonical_id_number, check_identity
from models.domain.mobile import check_mobile

TODAY = date(2026, 11, 21)
SIZE = 6_000
_DATED = {IdType.RESIDENT_ID, IdType.HK_MACAO_RESIDENCE, IdType.TAIWAN_RESIDENCE}
_MAIL = re.compile(r"\A[a-z]+[0-9]{2}\.[0-9a-f]+@(?:example\.(?:com|net|org)|[a-z]+\.example)\Z")


@pytest.fixture(scope="module")
def book() -> list[BookRow]:
    return list(generate_book(SIZE, 7))


def test_the_same_seed_writes_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    digests = [
        write_book(tmp_path / name, size=200, seed=seed) for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2))
    ]
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert digests[0] == digests[1] != digests[2]


def test_a_larger_book_begins_with_the_smaller_one(book: list[BookRow]) -> None:
    assert list(generate_book(50, 7)) == book[:50]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_number_passes_the_products_own_checks(seed: int) -> None:
    for row in generate_book(25, seed):
        canonical = check_identity(IdType(row.id_type), row.id_number, TODAY)
        assert check_mobile(row.mobile) == f"+86{row.mobile}"
        assert check_bank_card(row.card_number) == row.card_number
        assert is_synthetic_card(row.card_number)
        if row.id_type in _DATED:
            assert canonical[6:14] == f"{row.birth_date:%Y%m%d}"
            assert (int(canonical[16]) % 2 == 1) == (row.sex == "M")


def test_nobody_shares_a_number(book: list[BookRow]) -> None:
    for values in (
        [canonical_id_number(row.id_number) for row in book],
        [row.mobile for row in book],
        [row.card_number for row in book],
        [row.email for row in book if row.email],
    ):
        assert len(set(values)) == len(values)


def test_legacy_numbers_and_permits_have_their_small_share(book: list[BookRow]) -> None:
    legacy = [row for row in book if len(row.id_number) == 15]
    assert 0.012 * SIZE < len(legacy) < 0.03 * SIZE
    assert all(row.birth_date.year < 1985 for row in legacy)
    permits = Counter(row.id_type for row in book)
    assert 0.009 * SIZE < SIZE - permits["resident-id"] < 0.022 * SIZE
    assert set(permits) == {
        "resident-id",
        "hk-macao-residence",
        "taiwan-residence",
        "hk-macao-permit",
        "taiwan-permit",
    }


def test_people_are_of_age_and_of_many_names(book: list[BookRow]) -> None:
    assert all(20 <= BOOK_DAY.year - row.birth_date.year <= 69 for row in book)
    names = Counter(row.name for row in book)
    assert len(names) > 4_000
    lengths = {len(name) for name in names}
    assert {2, 3, 4} <= lengths
    assert any("·" in name for name in names)
    assert any(name.startswith(("欧阳", "司马", "上官", "诸葛")) for name in names)
    assert names["王伟"] == 0, "left out: a name of the well known"
    surnames = Counter(row.name[0] for row in book)
    assert {surname for surname, _ in surnames.most_common(5)} == set("王李张刘陈")


def test_addresses_reach_down_to_the_room_of_a_real_region(book: list[BookRow]) -> None:
    regions = tuple(region.full_name for region in REGIONS)
    for row in book:
        assert row.address.startswith(regions)
        assert re.search(r"[路街道]\d+号\w+?\d+栋\d单元\d{3,4}室\Z", row.address), row.row
    assert {row.address[:2] for row in book} >= {"北京", "上海", "广东", "四川", "新疆"}


def test_mail_goes_nowhere(book: list[BookRow]) -> None:
    mails = [row.email for row in book if row.email]
    assert 0.7 * SIZE < len(mails) < 0.8 * SIZE
    assert all(_MAIL.match(mail) for mail in mails)


def test_employers_fit_the_hardship(book: list[BookRow]) -> None:
    for row in book:
        assert (row.employer == "") == (row.hardship_code == "unemployment")
        if row.hardship_code == "business-failure":
            assert row.employer == "个体经营"
    assert any(row.employer.endswith("有限公司") for row in book)


def test_money_is_plausible(book: list[BookRow]) -> None:
    for row in book:
        assert 0 < row.requested_amount_minor <= row.total_due_minor
        assert row.requested_amount_minor % 10_000 == 0
        assert row.credit_limit_minor % 100_000 == 0
        assert 0 <= row.days_past_due <= 360
        assert min(row.monthly_income_minor, row.essential_expense_minor) > 0
        assert row.other_debt_payment_minor >= 0
    incomes = sorted(row.monthly_income_minor for row in book)
    assert 250_000 < median(incomes) < 600_000
    assert sum(incomes) / SIZE > median(incomes) * 1.05, "skewed to the right, as incomes are"


def test_cases_of_the_book_come_to_different_ends(book: list[BookRow]) -> None:
    covered = 0
    for row in book:
        finances = Finances(
            monthly_income_minor=row.monthly_income_minor,
            essential_expense_minor=row.essential_expense_minor,
            other_debt_payment_minor=row.other_debt_payment_minor,
            dependants=row.dependants,
        )
        covered += assess(
            finances,
            requested_amount_minor=row.requested_amount_minor,
            requested_term_months=row.requested_term_months,
        ).covers_request
    assert 0.2 * SIZE < covered < 0.6 * SIZE
    assert {row.hardship_code for row in book} == {"unemployment", "illness", "business-failure", "disaster", "other"}
    assert {row.channel_preference for row in book} == {"staff", "link"}
    assert {row.willing_to_repay for row in book} == {True, False}


def test_what_is_written_reads_back_the_same(tmp_path: Path, book: list[BookRow]) -> None:
    path = tmp_path / "book.csv"
    told: list[int] = []
    write_book(path, size=2_500, seed=7, progress=told.append)
    assert list(read_book(path)) == book[:2_500]
    assert told == [1_000, 2_000, 2_500]
    raw = path.read_bytes()
    assert raw.startswith(b"row,name,sex,")
    assert raw.count(b"\n") == 2_501
    assert b"\r" not in raw


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("a,b,c\n", 1),
        (",".join(COLUMNS) + "\n1,2\n", 2),
        (",".join(COLUMNS) + "\n" + ",".join(["x"] * len(COLUMNS)) + "\n", 2),
    ],
)
def test_a_file_that_is_no_book_is_refused_by_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"line {line}"):
        list(read_book(path))


def test_a_book_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("what was there", encoding="utf-8")

    def fail(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_book(path, size=1_500, seed=1, progress=fail)
    assert path.read_text(encoding="utf-8") == "what was there"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("size", [-1, 5_000_001])
def test_an_impossible_size_is_refused_before_anything_is_written(tmp_path: Path, size: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        write_book(tmp_path / "book.csv", size=size, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_rows_are_made_as_they_are_asked_for() -> None:
    assert [row.row for row in islice(generate_book(5_000_000, 3), 2)] == [1, 2]
