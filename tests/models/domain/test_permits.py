"""Documents without a check character: shapes that are in use pass, others are refused."""

from datetime import date

import pytest

from models.domain.identifiers import IdType, check_identity
from models.domain.rule_broken import RuleBroken

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("id_type", "typed", "canonical"),
    [
        (IdType.HK_MACAO_PERMIT, "h12345678", "H12345678"),
        (IdType.HK_MACAO_PERMIT, "M1234567801", "M1234567801"),
        (IdType.TAIWAN_PERMIT, "0123 4567", "01234567"),
        (IdType.FOREIGN_RESIDENT, "can310190030712", "CAN310190030712"),
        (IdType.PASSPORT, "e12345678", "E12345678"),
        (IdType.PASSPORT, "AB-1234567", "AB1234567"),
    ],
)
def test_numbers_in_use_pass_in_one_spelling(id_type: IdType, typed: str, canonical: str) -> None:
    assert check_identity(id_type, typed, TODAY) == canonical


@pytest.mark.parametrize(
    ("id_type", "typed", "code"),
    [
        (IdType.HK_MACAO_PERMIT, "A12345678", "id-permit-hk-macao"),
        (IdType.HK_MACAO_PERMIT, "H1234567", "id-permit-hk-macao"),
        (IdType.HK_MACAO_PERMIT, "H123456789", "id-permit-hk-macao"),
        (IdType.TAIWAN_PERMIT, "1234567", "id-permit-taiwan"),
        (IdType.TAIWAN_PERMIT, "T1234567", "id-permit-taiwan"),
        (IdType.FOREIGN_RESIDENT, "CA3101900307123", "id-length"),
        (IdType.PASSPORT, "PASSPORT", "id-passport"),
        (IdType.PASSPORT, "A123", "id-passport"),
        (IdType.PASSPORT, "E12345678\n", "id-passport"),
    ],
)
def test_other_shapes_are_refused(id_type: IdType, typed: str, code: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        check_identity(id_type, typed, TODAY)
    assert caught.value.code == code
