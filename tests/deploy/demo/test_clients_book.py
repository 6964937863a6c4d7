"""Identities and applications for clients of a file: sex and age fit, figures follow from the line, nobody is lost."""

from datetime import date
from pathlib import Path
from random import Random

import pytest

from deploy.demo.book import BOOK_DAY, read_book, write_rows
from deploy.demo.clients import Client, read_clients
from deploy.demo.clients_book import Applicant, applicants_of
from deploy.demo.clients_figures import Proof, figures_of
from models.domain.application import HardshipCode
from models.domain.bank_card import check_bank_card, is_synthetic_card
from models.domain.identifiers import IdType, check_identity
from models.domain.mobile import check_mobile
from tests.support.client_files import client_file

_TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> list[Client]:
    rng = Random(3)
    lines = [
        {
            "SEX": rng.choice((1, 2)),
            "AGE": rng.randint(21, 79),
            "EDUCATION": rng.randint(0, 6),
            "MARRIAGE": rng.randint(0, 3),
            "LIMIT_BAL": rng.randint(1, 50) * 10_000,
            "BILL_AMT1": rng.choice((0, -200, 35, 9_000, rng.randint(1_000, 400_000))),
            **{name: rng.choice((-2, -1, 0, 2, 3)) for name in ("PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")},
            **{f"PAY_AMT{month}": rng.choice((0, 2_000)) for month in range(1, 7)},
        }
        for _ in range(300)
    ]
    return list(read_clients(client_file(tmp_path_factory.mktemp("clients") / "c.csv", lines)))


@pytest.fixture(scope="module")
def applicants(clients: list[Client]) -> list[Applicant]:
    return applicants_of(clients, seed=5)


def test_sex_and_age_of_the_file_are_those_of_the_id_number(clients: list[Client], applicants: list[Applicant]) -> None:
    for client, applicant in zip(clients, applicants, strict=True):
        row = applicant.row
        number = check_identity(IdType(row.id_type), row.id_number, _TODAY)
        born = row.birth_date
        assert number[6:14] == f"{born:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == client.is_man == (row.sex == "M")
        assert BOOK_DAY.year - born.year - ((born.month, born.day) > (BOOK_DAY.month, BOOK_DAY.day)) == client.age


def test_every_other_number_is_valid_and_nobody_shares_one(applicants: list[Applicant]) -> None:
    for applicant in applicants:
        assert check_mobile(applicant.row.mobile)
        assert is_synthetic_card(check_bank_card(applicant.row.card_number))
    for field in ("row", "id_number", "mobile", "card_number"):
        assert len({getattr(applicant.row, field) for applicant in applicants}) == len(applicants)


def test_the_same_seed_gives_the_same_and_more_clients_begin_with_the_fewer(
    clients: list[Client], applicants: list[Applicant]
) -> None:
    assert applicants_of(clients[:40], seed=5) == applicants[:40]
    assert applicants_of(clients[:40], seed=6) != applicants[:40]


def test_the_debt_is_the_latest_bill_and_nobody_asks_for_more(
    clients: list[Client], applicants: list[Applicant]
) -> None:
    for client, applicant in zip(clients, applicants, strict=True):
        row = applicant.row
        assert row.row == client.id
        assert row.total_due_minor == client.bills[0] * 100
        assert row.credit_limit_minor == client.limit * 100
        assert row.requested_amount_minor <= row.total_due_minor
        assert (row.requested_amount_minor > 0) == (row.total_due_minor > 0)
        assert row.days_past_due == 60


def test_a_client_who_owes_nothing_is_kept(applicants: list[Applicant]) -> None:
    assert any(applicant.row.total_due_minor <= 0 for applicant in applicants)


def test_income_rises_with_the_limit_and_its_noise_is_all_that_the_seed_changes(clients: list[Client]) -> None:
    def income(limit: int) -> int:
        poor = Client(
            id=1, limit=limit, is_man=True, education=2, is_married=False, age=40,
            delays=(3, 3, 3, 3, 0, 0), bills=(9_000,) * 6, paid=(0,) * 6,
        )  # fmt: skip
        return figures_of(poor, Random(1)).monthly_income_minor

    assert income(20_000) < income(100_000) < income(500_000)


@pytest.mark.parametrize(
    ("delays", "paid", "hardships", "proofs"),
    [
        ((3, 2, 2, 2, 2, 2), (0,) * 6, {HardshipCode.UNEMPLOYMENT}, {Proof.AT_ONCE}),
        ((2, 0, 0, 0, 0, 0), (5,) * 6, {HardshipCode.ILLNESS, HardshipCode.DISASTER}, set(Proof)),
        (
            (2, 2, 2, 2, 0, 0),
            (5,) * 6,
            {HardshipCode.BUSINESS_FAILURE, HardshipCode.UNEMPLOYMENT},
            {Proof.AT_ONCE},
        ),
    ],
)
def test_why_the_money_is_short_follows_from_the_history(
    delays: tuple[int, ...], paid: tuple[int, ...], hardships: set[HardshipCode], proofs: set[Proof]
) -> None:
    client = Client(
        id=1, limit=50_000, is_man=True, education=2, is_married=True, age=40,
        delays=delays, bills=(9_000,) * 6, paid=paid,
    )  # fmt: skip
    drawn = [figures_of(client, Random(seed)) for seed in range(60)]
    assert {figures.hardship for figures in drawn} == hardships
    assert {figures.proof for figures in drawn} == proofs
    assert {figures.willing_to_repay for figures in drawn} == ({True} if any(paid) else {True, False})


def test_written_rows_are_a_book(tmp_path: Path, applicants: list[Applicant]) -> None:
    rows = [applicant.row for applicant in applicants]
    write_rows(tmp_path / "book.csv", rows)
    assert list(read_book(tmp_path / "book.csv")) == rows
