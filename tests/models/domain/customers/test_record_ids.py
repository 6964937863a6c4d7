"""Identity documents in records: more than two thousand numbers, each labelled with what must be found."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from models.domain.customers.validity import check_record

TODAY: Final = date(2026, 11, 23)
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PROVINCES: Final = (
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71,
)  # fmt: skip


def with_check(body: str) -> str:
    """GB 11643 as it is written in the standard: the sum modulo 11, looked up."""
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def rules_of(id_type: str, number: str) -> set[str]:
    """What is found in the number; a first-generation number is right, and told."""
    values = {"customer_no": "K1", "name": "张三", "id_type": id_type, "id_number": number}
    return {fault.rule for fault in check_record(values, today=TODAY).faults}


def labelled() -> Iterator[tuple[str, str, set[str]]]:
    """Kind, number, and the rules that it breaks."""
    for turn, province in enumerate(PROVINCES * 22):
        born = date(1930, 1, 1) + timedelta(days=(turn * 9_973) % 35_000)
        number = with_check(f"{province}{turn % 100:02d}{turn % 97:02d}{born:%Y%m%d}{turn % 1000:03d}")
        yield "resident-id", number, set()
        if number[-1] == "X":
            yield "resident-id", number.lower(), set()
        wrong = "0123456789X"[("0123456789X".index(number[-1]) + 1 + turn % 10) % 11]
        yield "resident-id", number[:-1] + wrong, {"id-checksum"}
        if born.year < 2000:
            yield "resident-id", number[:6] + number[8:17], {"id-legacy"}
    for turn in range(120):
        born = date(1955, 3, 1) + timedelta(days=turn * 199)
        body = f"{born:%Y%m%d}{turn:03d}"
        yield "hk-macao-residence", with_check(f"{(810000, 820000)[turn % 2]}{body}"), set()
        yield "taiwan-residence", with_check(f"830000{body}"), set()
        yield "taiwan-residence", with_check(f"{(810000, 820000)[turn % 2]}{body}"), {"id-type"}
        yield "resident-id", with_check(f"830000{body}"), {"id-type"}
        yield "foreign-resident", with_check(f"9{PROVINCES[turn % 32]}{156 + turn:03d}{body}"), set()
        yield "foreign-resident", f"USA{turn:012d}", set()
        ahead = TODAY + timedelta(days=1 + turn)
        yield "resident-id", with_check(f"110101{ahead:%Y%m%d}{turn:03d}"), {"id-birth-date"}
        yield "resident-id", with_check(f"110101{1870 - turn}0101{turn:03d}"), {"id-birth-date"}
        yield "resident-id", with_check(f"1101011990{(13, 0, 20)[turn % 3]:02d}10{turn:03d}"), {"id-birth-date"}
        yield "resident-id", with_check(f"11010119{turn % 25 * 4 + 1:02d}0229{turn:03d}"), {"id-birth-date"}
        yield "resident-id", with_check(f"{(10, 16, 20, 40, 72, 84, 99)[turn % 6]}0101{body}"), {"id-region"}
        yield "hk-macao-permit", f"{'HM'[turn % 2]}{turn:08d}", set()
        yield "taiwan-permit", f"{turn:08d}", set()
        yield "taiwan-permit", f"{turn:07d}", {"id-permit-taiwan"}
        yield "hk-macao-permit", f"K{turn:08d}", {"id-permit-hk-macao"}
        yield "passport", f"E{turn:08d}", set()
        yield "passport", "E" * (1 + turn % 4), {"id-passport"}
        yield "resident-id", "1" * (turn % 14 + 1), {"id-length"}
    leap = with_check("11010120000229001")
    yield "resident-id", leap, set()
    yield "resident-id", f" {leap[:6]} {leap[6:14]}-{leap[14:]} ", set()
    yield "resident-id", "".join(chr(ord(each) + 0xFEE0) for each in leap), set()  # full width
    yield "resident-id", with_check(f"110101{TODAY:%Y%m%d}001"), set()  # born today


def test_every_labelled_number_gets_its_label() -> None:
    cases = list(labelled())
    assert len(cases) >= 2_000
    wrong = [(id_type, number, expected, found) for id_type, number, expected in cases
             if (found := rules_of(id_type, number)) != expected]  # fmt: skip
    assert wrong == []


def test_both_generations_of_one_card_are_one_number() -> None:
    new = with_check("11010519491231002")
    old = new[:6] + new[8:17]
    spelled = [
        check_record({"id_type": "resident-id", "id_number": number}, today=TODAY).values["id_number"]
        for number in (new, old)
    ]
    assert spelled == [new, new]
