"""Addresses of one place in different spellings."""

import pytest

from models.domain.matching.addresses import address_core, canonical_address

PLACE = "广东省深圳市南山区科技路12号阳光花园3栋2单元502室"


@pytest.mark.parametrize(
    "spelt",
    [
        "深圳市南山区科技路12号阳光花园3栋2单元502室",
        "廣東省深圳市南山區科技路12號陽光花園3棟2單元502室",
        "广东省 深圳市 南山区 科技路 １２号 阳光花园 3幢 2单元 502房",
        "广东深圳南山区科技路十二号阳光花园三栋二单元五〇二室",
        "科技路12号阳光花园3号楼2单元502室",
    ],
)
def test_one_place_has_one_core(spelt: str) -> None:
    assert address_core(canonical_address(spelt)) == address_core(canonical_address(PLACE))


@pytest.mark.parametrize("other", [PLACE.replace("502", "503"), PLACE.replace("3栋", "5栋"), "科技村"])
def test_next_door_is_another_place(other: str) -> None:
    assert address_core(canonical_address(other)) != address_core(canonical_address(PLACE))


def test_a_place_without_numbers_has_no_core() -> None:
    assert address_core(canonical_address("河北省某县某镇李家村")) == ""
    assert address_core(canonical_address("")) == ""
