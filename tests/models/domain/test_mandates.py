"""What a debit mandate states follows from its plan, and a token from its key."""

import re
from datetime import date

from models.domain.mandates import ACCOUNT_PATTERN, BANK_CODE_PATTERN, mandate_terms
from models.domain.schedules.rows import Row
from models.domain.tokens import named_token, new_token


def test_a_mandate_covers_a_row_with_a_missed_one_and_retries_after_the_last() -> None:
    rows = [
        Row(no=1, due=date(2026, 12, 23), principal_minor=100_000, interest_minor=1_500),
        Row(no=2, due=date(2027, 1, 23), principal_minor=90_000, interest_minor=0, fee_minor=300),
    ]
    terms = mandate_terms(rows)
    assert terms.limit_minor == 203_000
    assert terms.valid_to == date(2027, 7, 22)


def test_accounts_and_banks_are_spelt_in_one_way() -> None:
    for account, fits in (
        ("6217000012345678901", True),
        ("62 17", False),
        ("621700001234567890\n", False),
        ("1", False),
    ):
        assert bool(re.match(ACCOUNT_PATTERN, account)) == fits
    for bank, fits in (("102100099996", True), ("BKCHCNBJ", True), ("BKCHCNBJXXX", True), ("bkchcnbj", False)):
        assert bool(re.match(BANK_CODE_PATTERN, bank)) == fits


def test_a_named_token_has_the_shape_of_any_other_and_stays_the_same() -> None:
    name = named_token("doc", "seal/main.1/2")
    assert name == named_token("doc", "seal/main.1/2")
    assert name != named_token("doc", "seal/main.1/3")
    assert name != named_token("txt", "seal/main.1/2").replace("txt", "doc")
    assert re.fullmatch(r"doc_[0-9a-hjkmnp-tv-z]{26}", name)
    assert len(name) == len(new_token("doc"))
