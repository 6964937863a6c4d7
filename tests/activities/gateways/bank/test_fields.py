"""Single values: amounts without float, ids that survive, accounts with check digits, texts the bank can spell."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.gateways.bank.amounts import NotAnAmountError, amount_minor, amount_text
from activities.gateways.bank.fields import FieldRules, iban_holds
from activities.gateways.bank.naming import batch_id, file_name, message_id
from activities.gateways.bank.orders import faults_of, require_sound
from activities.gateways.bank.profiles import GENERIC_CNY, PAIN_008_02, PROFILES, SEPA, Sequence
from activities.gateways.bank.rules import BankRule
from models.errors import BankFileInvalid
from models.texts.render import LOCALES, catalogue
from tests.support.bank_files import debit, euro_debit

CNY, EUR = FieldRules(GENERIC_CNY), FieldRules(SEPA)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "CNY", "0.00"),
        (5, "CNY", "0.05"),
        (123456, "CNY", "1234.56"),
        (10**18 - 1, "EUR", "9999999999999999.99"),
        (7, "JPY", "7"),
    ],
)
def test_amounts_are_spelled_with_the_digits_of_the_currency(minor: int, currency: str, text: str) -> None:
    assert amount_text(minor, currency) == text
    assert amount_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "minor"), [("12.5", 1250), ("12", 1200), ("12.", 1200), ("0012.50", 1250), ("12.50000", 1250)]
)
def test_other_spellings_of_an_amount_are_read(text: str, minor: int) -> None:
    assert amount_minor(text, "CNY") == minor


@pytest.mark.parametrize(
    "text", ["", "12.345", "-1.00", "1e3", "1,000.00", "NaN", " 1.00", "١٢.00", "1" * 19, "12345678901234567.00"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmountError):
        amount_minor(text, "CNY")


def test_an_unknown_currency_is_refused_in_both_directions() -> None:
    with pytest.raises(NotAnAmountError):
        amount_minor("1.00", "XXX")
    with pytest.raises(NotAnAmountError):
        amount_text(100, "XXX")


@given(st.integers(0, 10**18 - 1), st.sampled_from(["CNY", "EUR", "JPY"]))
def test_every_amount_comes_back(minor: int, currency: str) -> None:
    assert amount_minor(amount_text(minor, currency), currency) == minor


# Published examples of the IBAN registry.
@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"])
def test_published_ibans_hold_and_one_changed_digit_breaks_them(iban: str) -> None:
    assert iban_holds(iban)
    assert EUR.account(iban) is None
    broken = EUR.account(f"{iban[:-1]}{(int(iban[-1]) + 1) % 10}")
    assert broken is not None
    assert broken.rule is BankRule.IBAN


@pytest.mark.parametrize("value", ["/a", "a/", "a//b", "ä", "编号", "a b", "a\tb", "a\n"])
def test_ids_that_do_not_survive_every_system_are_refused(value: str) -> None:
    broken = CNY.identifier(value)
    assert broken is not None
    assert broken.rule is BankRule.IDENTIFIER


def test_ids_are_at_most_35_characters_and_never_empty() -> None:
    assert CNY.identifier("x" * 35) is None
    long, empty = CNY.identifier("x" * 36), CNY.identifier("")
    assert long is not None
    assert (long.rule, long.params) == (BankRule.LENGTH, {"limit": 35})
    assert empty is not None
    assert empty.rule is BankRule.REQUIRED


def test_chinese_names_go_to_the_chinese_bank_only() -> None:
    assert CNY.name("阿依古丽·买买提") is None
    refused = EUR.name("阿依古丽")
    assert refused is not None
    assert refused.rule is BankRule.CHARSET


def test_a_name_is_measured_in_characters() -> None:
    assert CNY.name("测" * 70) is None
    long = CNY.name("测" * 71)
    assert long is not None
    assert long.rule is BankRule.LENGTH


@pytest.mark.parametrize(
    ("profile", "code", "sound"),
    [
        ("generic-cny", "102100099996", True),
        ("generic-cny", "MOCKNL2A", False),
        ("generic-cny", "", False),
        ("sepa", "MOCKNL2A", True),
        ("sepa", "102100099996", False),
        ("sepa", "NOTPROVIDED", True),
    ],
)
def test_banks_are_named_in_the_way_of_the_profile(profile: str, code: str, sound: bool) -> None:
    assert (FieldRules(PROFILES[profile]).bank(code) is None) is sound


def test_every_fault_of_a_debit_is_reported_and_none_repeats_the_value() -> None:
    broken = debit(
        debtor_name="李\u0007四",
        debtor_account="6222-0000",
        end_to_end_id="",
        amount_minor=0,
        currency="EUR",
        debtor_bank="1",
        mandate_id="编号",
        remittance="x" * 141,
    )
    faults = faults_of(broken, rules=CNY, profile=GENERIC_CNY)
    assert {fault.pointer: fault.code for fault in faults} == {
        "/endToEndId": "bank-required",
        "/mandateId": "bank-identifier",
        "/debtorName": "bank-charset",
        "/debtorAccount": "bank-account",
        "/debtorBank": "bank-bank-code",
        "/remittance": "bank-length",
        "/amountMinor": "bank-amount",
        "/currency": "bank-currency",
    }
    with pytest.raises(BankFileInvalid) as refused:
        require_sound(broken, rules=CNY, profile=GENERIC_CNY)
    assert refused.value.faults == faults
    assert not any(secret in repr(refused.value) for secret in ("李", "6222"))


def test_sound_debits_have_no_faults_and_hide_the_person() -> None:
    assert faults_of(debit(), rules=CNY, profile=GENERIC_CNY) == ()
    assert faults_of(euro_debit(), rules=EUR, profile=SEPA) == ()
    assert "测试" not in repr(debit())
    assert "62220000" not in repr(debit())


def test_names_are_derived_from_the_business_alone() -> None:
    message = message_id("a-tenant-of-20-charsx", business_date=date(2026, 11, 23), number=1)
    assert message == "a-tenant-of-20-charsx-20261123-001"
    assert CNY.identifier(message) is None
    assert batch_id("main-20261123-001", sequence=Sequence.FIRST) == "main-20261123-001-FRST"
    assert file_name("main-20261123-001", profile=SEPA.speaking(PAIN_008_02)) == "main-20261123-001.pain.008.001.02.xml"


def test_a_profile_speaks_only_versions_that_are_written() -> None:
    with pytest.raises(ValueError, match="no writer"):
        SEPA.speaking("pain.008.001.11")
    assert set(PROFILES) == {"generic-cny", "sepa"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_rule_has_words(locale: str) -> None:
    texts = catalogue(locale)  # type: ignore[arg-type]
    assert [rule for rule in BankRule if f"field.{rule}" not in texts] == []
