"""People of two companies' books who do not exist: each a function of the seed and a number, so none is remembered.

That is what lets a million of them be written in flat memory, and the same person stand in both books. Everything else
about how they are made up is as in `deploy.demo.book`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from deploy.demo.addresses import pick_address, pick_employer
from deploy.demo.book import BOOK_DAY
from deploy.demo.draw import between, pick
from deploy.demo.names import FEMALE, MALE, PINYIN, pick_name
from deploy.demo.regions import Region, pick_region
from deploy.demo.transfers.recipe import PER_MILLE, Recipe
from deploy.demo.transfers.scatter import Scatter
from models.domain.bank_card import SYNTHETIC_BINS, luhn_digit
from models.domain.customers.record import LONG_TERM
from models.domain.identifiers import IdType
from models.domain.resident_id import HONG_KONG_PREFIX, MACAO_PREFIX, TAIWAN_PREFIX, check_character

_YOUNGEST, _OLDEST = 20, 68
_FIRST_DAY: Final = BOOK_DAY.replace(year=BOOK_DAY.year - _OLDEST)
_DAYS: Final = (BOOK_DAY.replace(year=BOOK_DAY.year - _YOUNGEST) - _FIRST_DAY).days
# Sequence numbers of one day and sex in four lots: anybody's, twins in one book, twins over both, clients of a file.
_A_DAY: Final = 125
_LOTS: Final = 4
_CLIENTS_LOT: Final = 3
MAX_PEOPLE: Final = _DAYS * _A_DAY
_YEAR: Final = 365
_EIGHT: Final = 10**8
_PERMIT_SHARE: Final = 0.02
_LONG_TERM_AGE: Final = 46
_ENGLISH_SHARE: Final = 0.015
_CONTRARY_EVERY: Final = 2
_MOBILE_PREFIXES: Final = (
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "150", "151", "152", "155", "156", "157", "158",
    "159", "166", "173", "176", "177", "178", "180", "181", "182", "183", "185", "186", "187", "188", "189", "199",
)  # fmt: skip
_PERMITS: Final = (
    (IdType.HK_MACAO_RESIDENCE, HONG_KONG_PREFIX, "HKG"),
    (IdType.HK_MACAO_RESIDENCE, MACAO_PREFIX, "MAC"),
    (IdType.TAIWAN_RESIDENCE, TAIWAN_PREFIX, "TWN"),
    (IdType.HK_MACAO_PERMIT, "H", "HKG"),
    (IdType.HK_MACAO_PERMIT, "M", "MAC"),
    (IdType.TAIWAN_PERMIT, "", "TWN"),
)
_OCCUPATIONS: Final = (
    "职员", "教师", "工程师", "医生", "护士", "司机", "销售", "会计", "律师", "公务员", "个体经营者", "农民", "厨师",
    "技术工人", "管理人员", "退休人员",
)  # fmt: skip
_MAIL_DOMAINS: Final = ("example.com", "example.net", "example.org", "mail.example", "post.example")
# GB 32100-2015: the characters of a unified social credit code, without I, O, S, V and Z.
_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(3**place % 31 for place in range(17))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714


class Relation(StrEnum):
    """How somebody is like somebody else without being them."""

    TWIN = "twin"
    HOUSEHOLD = "household"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Person:
    """Somebody, as they are: fields spelled as in a customer's record (`models.domain.customers.record`)."""

    number: int
    name: str
    sex: str
    birth_date: date
    id_type: IdType
    id_number: str
    id_valid_until: str
    nationality: str
    mobile: str
    email: str
    account: str
    occupation: str
    employer: str
    employer_uscc: str
    address: str
    postcode: str
    language: str
    place: Region
    relation: Relation | None = None
    relative: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """What a file says of one of its clients."""

    is_man: bool
    age: int
    ordinal: int  # among those of the same age, from 0


@dataclass(frozen=True, slots=True)
class People:
    """Everybody of two books: 0 to `source`-1 are customers of the transferor, those behind of the acquirer only."""

    seed: int
    source: int
    recipe: Recipe
    birthdays: Scatter
    numbers: Scatter
    clients: Sequence[Client] = ()

    @classmethod
    def of(cls, *, seed: int, source: int, everybody: int, recipe: Recipe, clients: Sequence[Client] = ()) -> "People":
        """Everybody of the books `seed`.

        Raises:
            ValueError: more people than there are numbers for.
        """
        if everybody > MAX_PEOPLE:
            raise ValueError(f"two books hold at most {MAX_PEOPLE} people together")
        if any(client.ordinal >= _YEAR * _A_DAY for client in clients):
            raise ValueError(f"a file holds at most {_YEAR * _A_DAY} clients of one age")
        rng = Random(f"{seed}/people")
        return cls(seed, source, recipe, Scatter.of(rng, MAX_PEOPLE), Scatter.of(rng, _EIGHT), tuple(clients))

    def person(self, number: int) -> Person:
        """Who has this number; the same one every time."""
        rng = Random(f"{self.seed}/{number}")
        relation, relative = self._relation(rng, number)
        if relation is None or relative is None:
            return self._alone(rng, number)
        other = self._alone(Random(f"{self.seed}/{relative}"), relative, drawn=True)
        made = self._alone(rng, number)
        if relation is Relation.TWIN:
            return self._twin(rng, made, other)
        return replace(
            made,
            address=other.address,
            postcode=other.postcode,
            place=other.place,
            mobile=other.mobile if rng.random() < 0.5 else made.mobile,
            relation=relation,
            relative=relative,
        )

    def another_mobile(self, number: int) -> str:
        """The number that somebody has after a change; nobody else has it."""
        return f"198{self.numbers.to(_EIGHT // 2 + number):08d}"

    def _relation(self, rng: Random, number: int) -> tuple[Relation | None, int | None]:
        draw = int(rng.random() * PER_MILLE)
        if number < self.source:
            relative = number - 1 if number % _CONTRARY_EVERY else None
        else:
            relative = (number - self.source) * _CONTRARY_EVERY
            relative = relative if relative < self.source else None
        if relative is None:
            return None, None
        if draw < self.recipe.twins:
            return Relation.TWIN, relative
        if draw < self.recipe.twins + self.recipe.households:
            return Relation.HOUSEHOLD, relative
        return None, None

    def _alone(self, rng: Random, number: int, *, drawn: bool = False) -> Person:
        if drawn:
            rng.random()  # as `_relation` did
        sex, born, sequence = self._birth(rng, number)
        home = pick_region(rng)
        origin = home if rng.random() < 0.8 else pick_region(rng)
        id_type, id_number, nationality = self._identity(rng, number, origin, (sex, born, sequence))
        name = pick_name(rng, sex=sex, birth_year=born.year, province_code=origin.code[:2])
        age = BOOK_DAY.year - born.year
        until = BOOK_DAY + timedelta(days=between(rng, 400, 7_000))
        digits = f"{self.numbers.to(number):08d}"
        body = f"{pick(rng, SYNTHETIC_BINS)}00{between(rng, 0, 9)}{digits[::-1]}" + "0"
        return Person(
            number=number,
            name=name,
            sex=sex,
            birth_date=born,
            id_type=id_type,
            id_number=id_number,
            id_valid_until=LONG_TERM if age >= _LONG_TERM_AGE else until.isoformat(),
            nationality=nationality,
            mobile=f"{pick(rng, _MOBILE_PREFIXES)}{digits}",
            email=self._email(rng, name, number),
            account=body + luhn_digit(body),
            occupation=pick(rng, _OCCUPATIONS),
            employer=pick_employer(rng, home),
            employer_uscc=_uscc(rng, home.code),
            address=pick_address(rng, home),
            postcode=f"{home.code[:2]}{between(rng, 0, 9999):04d}",
            language="en" if rng.random() < _ENGLISH_SHARE else "zh-CN",
            place=home,
        )

    def _born(self, number: int) -> tuple[date, int]:
        """Birth date and lowest sequence number: of no two people the same."""
        if number < len(self.clients):
            client = self.clients[number]
            place = (client.ordinal * 7_919 + self.seed) % (_YEAR * _A_DAY)
            latest = BOOK_DAY.replace(year=BOOK_DAY.year - client.age)
            return latest - timedelta(days=place // _A_DAY), place % _A_DAY * _LOTS
        place = self.birthdays.to(number)
        return _FIRST_DAY + timedelta(days=place // _A_DAY), place % _A_DAY * _LOTS

    def _birth(self, rng: Random, number: int) -> tuple[str, date, int]:
        born, sequence = self._born(number)
        if number < len(self.clients):
            return MALE if self.clients[number].is_man else FEMALE, born, sequence + _CLIENTS_LOT
        return (MALE if rng.random() < 0.52 else FEMALE), born, sequence

    def _identity(
        self, rng: Random, number: int, origin: Region, birth: tuple[str, date, int]
    ) -> tuple[IdType, str, str]:
        sex, born, sequence = birth
        if number >= len(self.clients) and rng.random() < _PERMIT_SHARE:
            id_type, prefix, nationality = pick(rng, _PERMITS)
            if id_type in {IdType.HK_MACAO_PERMIT, IdType.TAIWAN_PERMIT}:
                return id_type, f"{prefix}{self.numbers.to(number):08d}", nationality
            return id_type, _eighteen(prefix, born, sex, sequence), nationality
        return IdType.RESIDENT_ID, _eighteen(origin.code, born, sex, sequence), "CHN"

    def _twin(self, rng: Random, made: Person, other: Person) -> Person:
        """Somebody with surname, birth date, address and mobile of another, and a document of their own."""
        surname = other.name[:1]
        name = other.name
        while name == other.name:
            name = surname + pick_name(rng, sex=made.sex, birth_year=other.birth_date.year, province_code="11")[1:]
        # Registered at the same place on the same day: the numbers differ in sequence and check character alone.
        lot = 1 if made.number < self.source else 2
        sequence = self._born(other.number)[1] + lot
        origin = other.id_number[:6] if len(other.id_number) == 18 else other.place.code
        id_type = other.id_type if len(other.id_number) == 18 else IdType.RESIDENT_ID
        return replace(
            made,
            name=name,
            birth_date=other.birth_date,
            id_type=id_type,
            id_number=_eighteen(origin, other.birth_date, made.sex, sequence),
            nationality=other.nationality if id_type is other.id_type else "CHN",
            id_valid_until=other.id_valid_until,
            address=other.address,
            postcode=other.postcode,
            place=other.place,
            mobile=other.mobile,
            relation=Relation.TWIN,
            relative=other.number,
        )

    @staticmethod
    def _email(rng: Random, name: str, number: int) -> str:
        """Three in four have one, at domains that are reserved for examples (RFC 2606)."""
        if rng.random() < 0.25:
            return ""
        return f"{PINYIN.get(name[0], 'user')}.{number:x}@{pick(rng, _MAIL_DOMAINS)}"


def _eighteen(place: str, born: date, sex: str, sequence: int) -> str:
    body = f"{place}{born:%Y%m%d}{sequence * 2 + (sex == MALE):03d}"
    return body + check_character(body)


def _uscc(rng: Random, place: str) -> str:
    """A company's unified social credit code (统一社会信用代码, GB 32100) with both of its check characters."""
    organisation = "".join(pick(rng, _USCC) for _ in range(8))
    total = sum(
        (int(character) if character.isdigit() else ord(character) - 55) * weight
        for character, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=True)
    )
    check = 11 - total % 11
    body = f"91{place}{organisation}{'X' if check == 10 else 0 if check == 11 else check}"
    rest = sum(_USCC.index(character) * weight for character, weight in zip(body, _USCC_WEIGHTS, strict=True)) % 31
    return body + _USCC[(31 - rest) % 31]
