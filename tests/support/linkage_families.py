"""Adversarial books: twins, households, namesakes and second-hand mobiles, by a seed, with the truth about who is who.

Half of the pairs of each set are one person, with the noise of the set; the other half are two persons who have in
common what such persons have. All stand in the same two books, so that one family's record may meet another's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from pypinyin import lazy_pinyin

from deploy.demo.addresses import pick_address
from deploy.demo.names import FEMALE, MALE, pick_name
from deploy.demo.regions import pick_region
from tests.support.linkage_noise import Noise, Rates, Values, new_email, new_mobile
from tests.support.linkage_sets import Books

_GIVEN: Final = "伟丽军杰静燕玲文建志俊佳晓红林辉峰欣宇子平明强磊洋勇芳娜秀英敏霞国涛浩诗雅博金玉海婷颖倩雪"
_HOMOPHONES: Final = (
    "伟玮炜", "丽莉俐", "军君钧", "杰洁捷", "静婧靖", "燕艳雁", "玲灵凌", "文雯纹", "佳嘉家", "晓小筱", "红虹宏",
    "林琳霖", "辉晖徽", "峰锋枫", "欣鑫昕", "宇雨羽", "平萍苹", "明名铭", "雅娅", "怡宜仪",
)  # fmt: skip
_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))
_CHECK: Final = "10X98765432"


def id_number(place: str, born: date, sequence: int) -> str:
    """A citizen's number (GB 11643), worked out here so that no other code is trusted with it."""
    body = f"{place}{born:%Y%m%d}{sequence:03d}"
    return body + _CHECK[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass
class Families:
    """Makes people and those who are like them."""

    rng: Random
    _numbers: set[str] = field(default_factory=set)

    def person(self, *, born: date | None = None, surname: str = "", sex: str = "") -> Values:
        """Somebody new."""
        rng = self.rng
        sex = sex or rng.choice((MALE, FEMALE))
        born = born or date(1950, 1, 1) + timedelta(days=rng.randrange(20_000))
        region = pick_region(rng)
        name = pick_name(rng, sex=sex, birth_year=born.year, province_code="11")
        return {
            "name": surname + name[1:] if surname else name,
            "sex": sex,
            "birth_date": born.isoformat(),
            "id_type": "resident-id",
            "id_number": self.number(region.code, born, sex),
            "mobile": new_mobile(rng),
            "email": new_email(rng) if rng.random() < 0.67 else None,
            "account": f"62{rng.randrange(10**17):017d}" if rng.random() < 0.4 else None,
            "address": pick_address(rng, region),
        }

    def number(self, place: str, born: date, sex: str, *, beside: int | None = None) -> str:
        """A number that nobody else has; `beside` another sequence number, as twins get theirs."""
        for step in range(1, 1_000):
            drawn = self.rng.randrange(500) * 2 if beside is None else beside // 2 * 2 + 2 * step
            number = id_number(place, born, drawn % 1_000 // 2 * 2 + (sex == MALE))
            if number not in self._numbers:
                self._numbers.add(number)
                return number
        raise AssertionError("nobody else can be born there on that day")

    # Those who are like somebody --------------------------------------------------------------------------------------

    def twin(self, one: Values) -> Values:
        """A brother or sister of the same day: family name, home, a parent's mobile, often mail and account."""
        rng, name, number = self.rng, str(one["name"]), str(one["id_number"])
        born, sex = date.fromisoformat(str(one["birth_date"])), rng.choice((MALE, FEMALE))
        return {
            **one,
            "name": self._sibling(name),
            "sex": sex,
            "id_number": self.number(number[:6], born, sex, beside=int(number[14:17])),
            "email": one["email"] if rng.random() < 0.3 else new_email(rng),
            "account": one["account"] if rng.random() < 0.5 else None,
            "mobile": one["mobile"] if rng.random() < 0.8 else new_mobile(rng),
        }

    def _sibling(self, name: str) -> str:
        rng = self.rng
        given = "".join(rng.choice(_GIVEN) for _ in name[1:])
        drawn = rng.random()
        if len(given) > 1 and drawn < 0.5:  # a generation's character in common
            given = name[1] + given[1:]
        elif len(given) > 1 and drawn < 0.65:  # or the last one
            given = given[:-1] + name[-1]
        elif drawn < 0.75:  # or names that sound alike
            place = rng.randrange(1, len(name))
            group = next((group for group in _HOMOPHONES if name[place] in group), "")
            given = name[1:place] + (rng.choice(group) if group else given[place - 1]) + name[place + 1 :]
        return name[0] + given

    def relative(self, one: Values) -> Values:
        """Parent, child or spouse: one home, often one mobile, mail and account; fathers and sons with like names."""
        rng, name, born = self.rng, str(one["name"]), date.fromisoformat(str(one["birth_date"]))
        kind = rng.choice(("child", "child", "junior", "spouse", "sibling"))
        years = {"child": 20, "junior": 24, "spouse": 2, "sibling": 3}[kind]
        theirs = born.replace(year=born.year - years, day=min(born.day, 28))  # often the very day of another year
        if rng.random() < 0.5:
            theirs += timedelta(days=rng.randrange(-300, 300))
        other = self.person(born=theirs, surname="" if kind == "spouse" else name[0])
        if kind == "junior":
            place = len(name) - 1
            other["name"] = name[:place] + rng.choice([mark for mark in _GIVEN if mark != name[place]])
            other["sex"] = one["sex"]
        shared = {"address": 1.0, "mobile": 0.6, "email": 0.4, "account": 0.3}
        return other | {field: one[field] for field, chance in shared.items() if rng.random() < chance}

    def namesake(self, one: Values) -> Values:
        """A stranger of the same name, sex and birth date; one in three from the same place."""
        rng, number = self.rng, str(one["id_number"])
        born = date.fromisoformat(str(one["birth_date"]))
        other = self.person(born=born, sex=str(one["sex"]))
        if rng.random() < 0.33:
            other["id_number"] = self.number(number[:6], born, str(one["sex"]))
        return other | {"name": one["name"]}

    def heir(self, one: Values) -> Values:
        """A stranger who was given the mobile that somebody gave up."""
        other = self.person(surname=str(one["name"])[0] if self.rng.random() < 0.3 else "")
        return other | {"mobile": one["mobile"]}

    def mixed_up(self, one: Values) -> Values:
        """A twin in whose record stands the other's number; under one number, names of one sound are one name."""
        twin = self.twin(one)
        while lazy_pinyin(str(twin["name"])) == lazy_pinyin(str(one["name"])):
            twin = self.twin(one)
        return twin | {"id_number": one["id_number"]}

    def father_of_foreigner(self, one: Values) -> Values:
        """Senior and junior: one name, one home, the very day of another year."""
        rng, born = self.rng, date.fromisoformat(str(one["birth_date"]))
        name = f"{rng.choice(('John', 'James', 'Pedro'))} {rng.choice(('Smith', 'Garcia', 'Miller'))}"
        one |= {"name": name, "id_type": "passport", "id_number": f"P{rng.randrange(10**8):08d}"}
        shared = {key: one[key] for key in ("name", "id_type", "sex", "address", "mobile", "email", "account")}
        theirs = born.replace(year=born.year - 30, day=min(born.day, 28)).isoformat()
        return {**shared, "birth_date": theirs, "id_number": f"P{rng.randrange(10**8):08d}"}


_LIKE: Final[Mapping[str, Callable[[Families, Values], Values]]] = {
    "twins": Families.twin,
    "households": Families.relative,
    "namesakes": Families.namesake,
    "second-hand-mobiles": Families.heir,
    "mixed-up-numbers": Families.mixed_up,
    "seniors": Families.father_of_foreigner,
}
KINDS: Final = tuple(_LIKE)


def family_books(pairs: int, *, kind: str, seed: int, rates: Rates, id_missing: float = 0.4) -> Books:
    """So many pairs of one person and of two who are like each other, by halves, with this noise on either side."""
    rng = Random(f"{kind}/{seed}")
    families, noise, books = Families(rng), Noise(rng, rates), Books()
    for at in range(pairs):
        person = families.person()
        two = at % 2 == 1
        other = _LIKE[kind](families, person) if two else dict(person)
        one, other = noise.on(person), noise.on(other)
        for record in (one, other):
            if rng.random() < id_missing:
                record["id_number"] = None
        books.target.append(one)
        books.source.append(other)
        if not two:
            books.same.add((at, at))
        elif _nothing_tells_apart(one, other):
            books.indistinguishable.add((at, at))
    return books


def _nothing_tells_apart(one: Values, other: Values) -> bool:
    """Whether all that stays with a person is equal, wherever both records say it."""
    lasting = [key for key in ("name", "sex", "birth_date", "id_number") if one.get(key) and other.get(key)]
    return all(one[key] == other[key] for key in lasting)


def person_books(people: int, *, in_common: int, seed: int, source: Rates, target: Rates) -> Books:
    """Two books with people in common, each with its own noise on their records."""
    rng = Random(f"people/{seed}")
    families, books = Families(rng), Books()
    on_source, on_target = Noise(rng, source), Noise(rng, target)
    for at in range(people):
        person = families.person()
        books.target.append(on_target.on(person))
        if at < in_common:
            books.source.append(on_source.on(person))
            books.same.add((at, at))
    while len(books.source) < people:
        books.source.append(on_source.on(families.person()))
    return books
