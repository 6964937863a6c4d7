"""Masks are those of the table in `docs` for the back office, and whatever comes in, less is shown and never more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.masking import (
    HIDDEN,
    MaskedSubject,
    mask_address,
    mask_card,
    mask_email,
    mask_id_number,
    mask_mobile,
    mask_name,
    mask_subject,
)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", ""),
        ("王", "*"),
        ("张三", "张*"),
        ("王小明", "王*明"),
        ("欧阳娜娜", "欧**娜"),
        ("买买提·艾力", "买****力"),
        ("John Smith", "J********h"),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("110101199003071230", "110101********1230"),
        ("11010519491231002X", "110105********002X"),
        ("11010519491231002x", "110105********002x"),
        ("110105491231002", "110105*****1002"),
        ("810000199408230021", "810000********0021"),  # residence permit of Hong Kong
        ("E12345678", "E******78"),
        ("H12345678", "H******78"),
        ("A123456(7)", "A*******7)"),
        ("12345", "*****"),
        ("", ""),
    ],
)
def test_identity_documents(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked
    assert len(masked) == len(number)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800138000", "138****8000"),
        ("+8613800138000", "+86138****8000"),
        ("+86 13800138000", "+86 138****8000"),
        ("+85291234567", "+852******67"),
        ("010-12345678", "010-****5678"),
        ("0755-1234567", "0755-***4567"),
        ("12345", "*****"),
        ("138001380001234", "*************34"),
        ("", ""),
    ],
)
def test_telephone_numbers(number: str, masked: str) -> None:
    assert mask_mobile(number) == masked
    assert len(masked) == len(number)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("6222021234567890123", "622202*********0123"),
        ("6222021234567890", "622202******7890"),
        ("123456789012", "**********12"),
        ("12345", "*****"),
        ("", ""),
    ],
)
def test_cards(number: str, masked: str) -> None:
    assert mask_card(number) == masked
    assert len(masked) == len(number)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("zhangsan@example.com", "zha***@example.com"),
        ("abcd@example.com", "ab***@example.com"),
        ("a@example.com", "***@example.com"),
        ("@example.com", "***@example.com"),
        ("no address at all", HIDDEN),
        ("a@b@example.com", HIDDEN),
        ("a@王小明的家", HIDDEN),
        ("", HIDDEN),
    ],
)
def test_mail_addresses(address: str, masked: str) -> None:
    assert mask_email(address) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("北京市海淀区某路1号2室", "北京市海淀区******"),
        ("广东省深圳市南山区科技路9号", "广东省深圳市南山区******"),
        ("广西壮族自治区南宁市青秀区民族大道1号", "广西壮族自治区南宁市青秀区******"),
        ("上海市浦东新区世纪大道100号", "上海市浦东新区******"),
        ("江苏省苏州市昆山市前进路1号", "江苏省苏州市昆山市******"),
        ("湖南省长沙市长沙县星沙街道1号", "湖南省长沙市长沙县******"),
        ("北京市朝阳小区5号楼", "北京市******"),  # an estate, not a district
        ("北京市和平路甲小区5号", "北京市******"),
        ("某路1号2室", "******"),
        ("海淀区某路1号", "******"),  # no province: not recognised, so nothing is shown
        ("", "******"),
    ],
)
def test_postal_addresses(address: str, masked: str) -> None:
    assert mask_address(address) == masked


ANYTHING = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"\A[0-9xX+\- ]{0,25}\Z"),
    st.text("省市区县路号小0123456789@.王明海淀北京", max_size=30),
)


@settings(deadline=None)
@given(ANYTHING)
def test_masks_of_fixed_length_fields_keep_the_length_and_show_at_most_ten_characters(value: str) -> None:
    for mask, most in ((mask_name, 2), (mask_id_number, 10), (mask_mobile, 12), (mask_card, 10)):
        masked = mask(value)
        assert len(masked) == len(value)
        shown = [
            character for character, raw in zip(masked, value, strict=True) if character != "*" and character == raw
        ]
        assert len(shown) <= most
        assert all(character in ("*", raw) for character, raw in zip(masked, value, strict=True))
        if value and "*" not in value:  # a value that is masked already may stay as it is
            assert masked != value


@settings(deadline=None)
@given(ANYTHING)
def test_free_texts_never_come_through_whole(value: str) -> None:
    for masked in (mask_email(value), mask_address(value)):
        assert "***" in masked
        assert "*" in value or masked != value


def test_a_subject_is_masked_field_by_field() -> None:
    assert mask_subject(name="王小明", mobile="13800138000") == MaskedSubject(name="王*明", mobile="138****8000")
    assert mask_subject() == MaskedSubject()
    whole = mask_subject(
        name="王小明",
        id_number="110101199003071230",
        mobile="13800138000",
        email="zhangsan@example.com",
        card="6222021234567890123",
        address="北京市海淀区某路1号2室",
    )
    assert whole == MaskedSubject(
        name="王*明",
        id_number="110101********1230",
        mobile="138****8000",
        email="zha***@example.com",
        card="622202*********0123",
        address="北京市海淀区******",
    )
