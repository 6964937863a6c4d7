"""Numbers of generated customers: identity documents, mobiles, cards. All pass the product's checks; none comes twice.

Mobiles, cards and permits are unique by construction: the row's number, scattered by a factor without common divisor
with the power of ten. Resident numbers have too little room for that; those given out are remembered.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final

from deploy.demo.draw import between, pick
from deploy.demo.names import MALE
from models.domain.bank_card import SYNTHETIC_BINS, luhn_digit
from models.domain.identifiers import IdType
from models.domain.resident_id import HONG_KONG_PREFIX, MACAO_PREFIX, TAIWAN_PREFIX, check_character

# Ranges of the mainland's carriers. The numbers behind them are made up; nothing may ever be sent to one.
_MOBILE_PREFIXES: Final = (
    "130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "147", "150", "151", "152", "153", "155",
    "156", "157", "158", "159", "166", "173", "175", "176", "177", "178", "180", "181", "182", "183", "185", "186",
    "187", "188", "189", "191", "193", "198", "199",
)  # fmt: skip
_CARD_LENGTHS: Final = (16, 16, 16, 16, 19, 19, 18, 17)
_EIGHT: Final = 10**8
_NINE: Final = 10**9


@dataclass(slots=True)
class Numbers:
    """Gives out numbers, none of them twice."""

    rng: Random
    _mobile_step: int = 0
    _card_step: int = 0
    _taken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Choose how rows are scattered."""
        self._mobile_step = _coprime_to_ten(self.rng, _EIGHT)
        self._card_step = _coprime_to_ten(self.rng, _NINE)

    def resident_id(self, place: str, born: date, sex: str) -> str:
        """An 18-digit number that nobody else of the book has, in 18 digits or in its 15-digit form."""
        head = f"{place}{born:%Y%m%d}"
        while True:
            sequence = between(self.rng, 0, 499) * 2 + (sex == MALE)  # the 17th digit is odd for men
            body = f"{head}{sequence:03d}"
            if int(body) not in self._taken:
                self._taken.add(int(body))
                return body + check_character(body)

    def residence_permit(self, id_type: IdType, born: date, sex: str) -> str:
        """A permit of the 18-digit form (港澳台居民居住证)."""
        places = (TAIWAN_PREFIX,) if id_type is IdType.TAIWAN_RESIDENCE else (HONG_KONG_PREFIX, MACAO_PREFIX)
        return self.resident_id(pick(self.rng, places), born, sex)

    def travel_permit(self, id_type: IdType, row: int) -> str:
        """A permit without a check character: H or M and eight digits, or eight digits."""
        digits = f"{row * self._mobile_step % _EIGHT:08d}"
        return digits if id_type is IdType.TAIWAN_PERMIT else pick(self.rng, "HHHM") + digits

    def mobile(self, row: int) -> str:
        """Eleven digits (手机号)."""
        return f"{pick(self.rng, _MOBILE_PREFIXES)}{row * self._mobile_step % _EIGHT:08d}"

    def card(self, row: int) -> str:
        """16 to 19 digits under a synthetic issuer prefix (银行卡号)."""
        length = pick(self.rng, _CARD_LENGTHS)
        extra = length - 16
        filler = f"{between(self.rng, 0, 10**extra - 1):0{extra}d}" if extra else ""
        body = f"{pick(self.rng, SYNTHETIC_BINS)}{filler}{row * self._card_step % _NINE:09d}"
        return body + luhn_digit(body)


def legacy_form(eighteen: str) -> str:
    """The 15-digit number of before 1999: without century and check character."""
    return eighteen[:6] + eighteen[8:17]


def _coprime_to_ten(rng: Random, below: int) -> int:
    return between(rng, below // 20, below // 10 - 1) * 10 + pick(rng, (1, 3, 7, 9))
