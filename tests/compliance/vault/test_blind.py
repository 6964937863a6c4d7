"""Every spelling of one value finds it; no two values share an index; an index tells nothing without its key."""

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.blind import BlindField, canonical
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault

ID, MOBILE = BlindField.ID_NUMBER, BlindField.MOBILE


@pytest.mark.parametrize(
    ("field", "spellings", "form"),
    [
        (
            ID,
            [
                "11010519491231002X",
                "11010519491231002x",
                " 110105 19491231 002X ",
                "１１０１０５１９４９１２３１００２Ｘ",
                "110105-19491231-002x",
            ],
            "11010519491231002X",
        ),
        (ID, ["110105491231002", "11010519491231002X"], "11010519491231002X"),  # first-generation card, same person
        (ID, ["A123456(7)", "a1234567", "Ａ１２３４５６（７）"], "A1234567"),
        (ID, ["e12345678", "E12345678\u200b", "E1234\u00ad5678"], "E12345678"),
        (ID, ["123456789999999"], "123456789999999"),  # 15 digits, yet no date in it
        (
            MOBILE,
            [
                "13800138000",
                "138 0013 8000",
                "138-0013-8000",
                "+8613800138000",
                "+86 138-0013-8000",
                "008613800138000",
                "8613800138000",
                "（+86）13800138000",
                "１３８００１３８０００",
                "138\u20110013\u20118000",
            ],
            "+8613800138000",
        ),
        (MOBILE, ["+852 9123 4567", "0085291234567", "+85291234567"], "+85291234567"),
        (MOBILE, ["91234567"], "91234567"),  # no country code: kept as it is
    ],
)
def test_spellings_of_one_value_are_one(field: BlindField, spellings: list[str], form: str, bank: Vault) -> None:
    assert {canonical(field, spelling) for spelling in spellings} == {form}
    indexes = {bank.blind_index(tenant="acme", field=field, value=spelling) for spelling in spellings}
    assert len(indexes) == 1
    assert len(indexes.pop()) == 32


@settings(deadline=None)
@given(st.text())
def test_the_canonical_form_of_a_canonical_form_is_itself(value: str) -> None:
    for field in BlindField:
        try:
            form = canonical(field, value)
        except ValueError:
            continue
        assert canonical(field, form) == form


def test_different_values_fields_and_tenants_have_different_indexes(bank: Vault) -> None:
    bank.ensure_tenant("other")
    indexes = [
        bank.blind_index(tenant="acme", field="mobile", value="13800138000"),
        bank.blind_index(tenant="acme", field="mobile", value="13800138001"),
        bank.blind_index(tenant="acme", field="id_number", value="13800138000"),
        bank.blind_index(tenant="other", field="mobile", value="13800138000"),
    ]
    assert len(set(indexes)) == 4


def test_an_index_stays_the_same_in_a_later_process(bank: Vault) -> None:
    before = bank.blind_index(tenant="acme", field="mobile", value="13800138000")
    bank.forget()
    assert bank.blind_index(tenant="acme", field="mobile", value="13800138000") == before


@pytest.mark.parametrize("value", ["", "  ", "\u3000", "--"])
def test_nothing_cannot_be_indexed(bank: Vault, value: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        bank.blind_index(tenant="acme", field="mobile", value=value)


def test_an_unknown_field_is_refused(bank: Vault) -> None:
    with pytest.raises(ValueError, match="email"):
        bank.blind_index(tenant="acme", field="email", value="someone@example.com")


def test_the_form_of_an_index_is_the_documented_one(bank: Vault) -> None:
    """Indexes that are stored must be found again by every later version."""
    branch = bank._branch("acme", "blind-index").current
    key = branch.derive(info=framed("casework.derived", "blind-index", "acme", "mobile"), length=32)
    message = framed("casework.blind-index", 1, "mobile", "+8613800138000")
    expected = hmac.digest(key, message, "sha256")
    assert bank.blind_index(tenant="acme", field="mobile", value="138 0013 8000") == expected
