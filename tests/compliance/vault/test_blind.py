"""Every spelling of one value finds it; no two values share an index; an index tells nothing without its key."""

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault import blind
from compliance.vault.blind import BlindField, blind_index, canonical
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.suites import AES_256_GCM, SealingKey

ID, MOBILE = BlindField.ID_NUMBER, BlindField.MOBILE
KEY = SealingKey(AES_256_GCM, bytes(range(32)), version=1)


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


# Shorter tokens, where they are planned -------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_the_short_way_to_the_plain_spelling_is_the_long_one(value: str) -> None:
    """ASCII letters and digits need neither NFKC nor the search for noise."""
    import unicodedata

    if value.isascii() and value.isalnum():
        assert (
            blind._NOISE.sub("", unicodedata.normalize("NFKC", value)).upper() == value.upper() == blind._plain(value)
        )
    assert blind._plain(blind._plain(value)) == blind._plain(value)


@pytest.mark.parametrize("bits", [4, 8, 13, 16, 64, 255])
def test_a_short_token_has_its_bits_and_no_others(bits: int) -> None:
    tokens = {blind_index(KEY, field=BlindField.MOBILE, value=f"138{number:08d}", bits=bits) for number in range(300)}
    assert {len(token) for token in tokens} == {-(-bits // 8)}
    union = 0
    for token in tokens:
        union |= int.from_bytes(token)
    length = -(-bits // 8) * 8
    assert union == ((1 << bits) - 1) << (length - bits)  # every bit is used, and the rest is 0


def test_a_short_token_is_no_prefix_of_the_whole_one_and_lengths_differ_entirely() -> None:
    tokens = {
        bits: blind_index(KEY, field=BlindField.MOBILE, value="13800000000", bits=bits) for bits in (64, 128, 256)
    }
    assert not tokens[256].startswith(tokens[64])
    assert not tokens[256].startswith(tokens[128])
    assert not tokens[128].startswith(tokens[64])


@pytest.mark.parametrize("bits", [0, 3, 257, -1])
def test_a_token_of_a_length_that_cannot_be_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="4 to 256 bits"):
        blind_index(KEY, field=BlindField.MOBILE, value="13800000000", bits=bits)
