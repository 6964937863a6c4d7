"""Books with people in common, generated from a seed, with the truth about who is who.

`noisy_books` has the noise of reference set (d1) of the privacy reference; `twin_books` is the adversarial one: half of
its pairs are the same person, half are twins who share everything that a household shares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from deploy.demo.addresses import pick_address
from deploy.demo.names import FEMALE, MALE, pick_name
from deploy.demo.regions import pick_region
from models.domain.resident_id import check_character

Values = dict[str, str | None]
TODAY: Final = date(2026, 11, 20)
_HOMOPHONES: Final = (
    "伟玮炜", "丽莉俐", "军君钧", "杰洁捷", "静婧靖", "燕艳雁", "玲灵凌", "文雯纹", "建健剑", "志智致", "俊骏峻",
    "佳嘉家", "晓小筱", "红虹宏", "林琳霖", "辉晖徽", "峰锋枫", "欣鑫昕", "宇雨羽", "子梓紫", "平萍苹", "明名铭",
)  # fmt: skip
_OTHERS: Final = "伟丽军杰静燕玲文建志俊佳晓红林辉峰欣宇子平明强磊洋勇芳娜秀英敏霞"
_MAILS: Final = ("qq.com", "163.com", "126.com", "example.com", "sina.cn")


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Shares of records of people in common in which a field differs between the books."""

    id_missing: float = 0.06
    id_transposed: float = 0.03
    mobile: float = 0.30
    email: float = 0.57
    address: float = 0.35
    name: float = 0.04
    born: float = 0.02


@dataclass
class Books:
    """Two books and the pairs (source, target) that are one person."""

    source: list[Values] = field(default_factory=list)
    target: list[Values] = field(default_factory=list)
    same: set[tuple[int, int]] = field(default_factory=set)
    indistinguishable: set[tuple[int, int]] = field(default_factory=set)  # twins whom nothing tells apart


class Maker:
    """Makes people and what becomes of their records; the same seed gives the same people."""

    def __init__(self, seed: int) -> None:
        """Begin at the first number."""
        self.rng = Random(seed)
        self._given_out: set[str] = set()

    def person(self) -> Values:
        """Somebody new."""
        rng = self.rng
        sex = rng.choice((MALE, FEMALE))
        born = date(1950, 1, 1) + timedelta(days=rng.randrange(20_000))
        region = pick_region(rng)
        return {
            "name": pick_name(rng, sex=sex, birth_year=born.year, province_code=region.code[:2]),
            "sex": sex,
            "birth_date": born.isoformat(),
            "id_type": "resident-id",
            "id_number": self.id_number(region.code, born, sex),
            "mobile": self.mobile(),
            "email": self.email(),
            "account": self._digits("62", 17) if rng.random() < 0.4 else None,
            "address": pick_address(rng, region),
        }

    def id_number(self, place: str, born: date, sex: str) -> str:
        """A number that nobody else has."""
        while True:
            body = f"{place}{born:%Y%m%d}{self.rng.randrange(500) * 2 + (sex == MALE):03d}"
            if body not in self._given_out:
                self._given_out.add(body)
                return body + check_character(body)

    def mobile(self) -> str:
        """A mobile."""
        return "+86" + self._digits(self.rng.choice(("138", "139", "150", "186", "177")), 8)

    def email(self) -> str | None:
        """An address; a third have none."""
        rng = self.rng
        return None if rng.random() < 0.33 else f"u{rng.randrange(10**9)}@{rng.choice(_MAILS)}"

    def _digits(self, head: str, count: int) -> str:
        return head + "".join(self.rng.choice("0123456789") for _ in range(count))

    def changed(self, person: Values, noise: Noise) -> Values:
        """The person's record in another book."""
        rng, record = self.rng, dict(person)
        number = str(record["id_number"])
        if rng.random() < noise.id_missing:
            record["id_number"] = None
        elif rng.random() < noise.id_transposed:
            record["id_number"] = transposed(number, rng)
        if rng.random() < noise.mobile:
            record["mobile"] = self.mobile()
        if rng.random() < noise.email:
            record["email"] = self.email()
        if rng.random() < noise.address:
            record["address"] = pick_address(rng, pick_region(rng))
        if rng.random() < noise.name:
            record["name"] = misspelt(str(record["name"]), rng)
        if rng.random() < noise.born:
            record["birth_date"] = _other_day(str(record["birth_date"]), rng)
        return record

    def twin(self, person: Values) -> Values:
        """A brother or sister born on the same day, living at home: another given name, most of the time."""
        rng, twin = self.rng, dict(person)
        name = str(person["name"])
        sex = rng.choice((MALE, FEMALE))
        given = "".join(rng.choice(_OTHERS) for _ in name[1:])
        if len(given) > 1 and rng.random() < 0.6:  # a generation's character in common
            given = name[1] + given[1:]
        number = str(person["id_number"])
        twin |= {
            "name": name[0] + given,
            "sex": sex,
            "id_number": self.id_number(number[:6], date.fromisoformat(str(person["birth_date"])), sex),
            "email": self.email(),
        }
        return twin


def noisy_books(people: int, in_common: int, *, seed: int = 1, noise: Noise | None = None) -> Books:
    """Two books of so many people each, so many of them in both, the source's records of these with noise."""
    maker, books, noise = Maker(seed), Books(), noise or Noise()
    for at in range(people):
        person = maker.person()
        books.target.append(person)
        if at < in_common:
            books.source.append(maker.changed(person, noise))
            books.same.add((at, at))
    while len(books.source) < people:
        books.source.append(maker.person())
    return books


def twin_books(pairs: int, *, seed: int = 2, id_missing: float = 0.4) -> Books:
    """So many pairs of one person and of twins, by halves; of each record the number is missing so often."""
    maker, books = Maker(seed), Books()
    for at in range(pairs):
        person = maker.person()
        twins = at % 2 == 1
        other = maker.twin(person) if twins else dict(person)
        for record in (person, other):
            if maker.rng.random() < id_missing:
                record["id_number"] = None
        books.target.append(person)
        books.source.append(other)
        if not twins:
            books.same.add((at, at))
        elif indistinguishable(person, other):
            books.indistinguishable.add((at, at))
    return books


def indistinguishable(one: Values, other: Values) -> bool:
    """Whether nothing that stays with a person, and that both records say, tells the two apart."""
    lasting = [key for key in ("name", "sex", "birth_date", "id_number") if one.get(key) and other.get(key)]
    return all(one[key] == other[key] for key in lasting)


def transposed(number: str, rng: Random) -> str:
    """Two neighbouring characters exchanged; another number wherever the two differ."""
    places = [at for at in range(len(number) - 1) if number[at] != number[at + 1]]
    at = rng.choice(places)
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def misspelt(name: str, rng: Random) -> str:
    """A character that sounds the same, or any other in its place."""
    at = rng.randrange(1, len(name)) if len(name) > 1 else 0
    group = next((group for group in _HOMOPHONES if name[at] in group), "")
    others = [mark for mark in (group or _OTHERS) if mark != name[at]]
    return name[:at] + rng.choice(others) + name[at + 1 :]


def _other_day(day: str, rng: Random) -> str:
    return (date.fromisoformat(day) + timedelta(days=rng.choice((-1, 1, 10, 30, 365, -365, 3650)))).isoformat()


def each_pair(books: Books) -> Iterator[tuple[Values, Values]]:
    """The records at the same place of both books."""
    yield from zip(books.source, books.target, strict=True)
