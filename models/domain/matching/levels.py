"""How far two records agree, field by field. Symmetric: who is asked about whom changes nothing."""

from enum import StrEnum
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import ratio

from models.domain.matching.names import Name
from models.domain.matching.person import Person
from models.domain.matching.values import Identity


class Level(StrEnum):
    """How two values of a field stand to each other. Not every field knows each of them (`LEVELS`)."""

    MISSING = "missing"  # one side does not say: no evidence
    EQUAL = "equal"
    UNCHECKED = "unchecked"  # equal, but nothing proves that the number is one
    REPAIRED = "repaired"  # one is proven, the other is no number at all, and one slip of the pen makes it the first
    SOUND = "sound"  # written otherwise, sounds the same
    NEAR = "near"  # a slip of the pen apart
    FAMILY = "family"  # the surname alone
    PART = "part"
    DIFFERENT = "different"
    CONFLICT = "conflict"  # both numbers are proven, and they are two


class Agreement(NamedTuple):
    """The levels of all fields, in the order in which they are shown."""

    name: Level
    identity: Level
    birth_date: Level
    sex: Level
    mobile: Level
    email: Level
    account: Level
    address: Level


FIELDS: Final = Agreement._fields
LEVELS: Final[dict[str, tuple[Level, ...]]] = {
    "name": (Level.EQUAL, Level.SOUND, Level.NEAR, Level.FAMILY, Level.DIFFERENT),
    "identity": (Level.EQUAL, Level.UNCHECKED, Level.REPAIRED, Level.NEAR, Level.DIFFERENT, Level.CONFLICT),
    "birth_date": (Level.EQUAL, Level.NEAR, Level.DIFFERENT),
    "sex": (Level.EQUAL, Level.DIFFERENT),
    "mobile": (Level.EQUAL, Level.NEAR, Level.DIFFERENT),
    "email": (Level.EQUAL, Level.PART, Level.DIFFERENT),
    "account": (Level.EQUAL, Level.NEAR, Level.DIFFERENT),
    "address": (Level.EQUAL, Level.NEAR, Level.PART, Level.DIFFERENT),
}
_SLIP: Final = 1  # one character wrong, too many, too few, or two exchanged
_IDENTITY_SLIP: Final = 2
_SHORT_NAME: Final = 2  # where one wrong character is half the name
_LATIN_NEAR: Final = 0.92
_ADDRESS_NEAR: Final = 85.0
_ADDRESS_PART: Final = 60.0


def compare(one: Person, other: Person) -> Agreement:
    """How far two records agree.

    Under one number the birth date is compared as it is written: what the number says of it is the same twice, also
    where it stands in the record of a twin or a son. Sex is compared as written wherever both say it: a number of the
    other sex than its record is, as likely as not, somebody else's.
    """
    identity = compare_identities(one.identity, other.identity)
    same = identity is Level.EQUAL
    births = ((one.born,), (other.born,)) if same and one.born and other.born else (one.births, other.births)
    sexes = ((one.sex,), (other.sex,)) if one.sex and other.sex else (one.sexes, other.sexes)
    return Agreement(
        name=compare_names(one.name, other.name),
        identity=identity,
        birth_date=_births(*births),
        sex=_sexes(*sexes),
        mobile=_numbers(one.mobile, other.mobile),
        email=_emails(one.email, other.email),
        account=_numbers(one.account, other.account),
        address=_addresses(one, other),
    )


def compare_names(one: Name, other: Name) -> Level:
    """EQUAL needs the same characters (variants unified); SOUND the same syllables, or their transcription."""
    if not one.text or not other.text:
        return Level.MISSING
    if one.text == other.text:
        return Level.EQUAL
    if one.is_han and other.is_han:
        return _han_names(one, other)
    if one.is_han or other.is_han:
        return Level.SOUND if _transcribes(one, other) else Level.DIFFERENT
    joined = "".join(one.sound), "".join(other.sound)
    if joined[0] == joined[1] or (one.letters == other.letters and set(one.sound) & set(other.sound)):
        return Level.SOUND
    fewer, more = sorted((set(one.sound), set(other.sound)), key=len)
    if len(fewer) > 1 and fewer < more:  # a middle name left out
        return Level.NEAR
    if min(map(len, joined)) > _SHORT_NAME + 1 and JaroWinkler.similarity(*sorted(joined)) >= _LATIN_NEAR:
        return Level.NEAR
    return Level.FAMILY if fewer & more else Level.DIFFERENT


def _han_names(one: Name, other: Name) -> Level:
    if one.sound == other.sound:
        return Level.SOUND
    if min(len(one.text), len(other.text)) > _SHORT_NAME and OSA.distance(one.text, other.text) <= _SLIP:
        return Level.NEAR
    same_family = one.sound[: len(one.family)] == other.sound[: len(other.family)]
    return Level.FAMILY if same_family else Level.DIFFERENT


def _transcribes(one: Name, other: Name) -> bool:
    """Whether Latin words spell a name of Chinese characters, family or given name first."""
    han, latin = (one, other) if one.is_han else (other, one)
    family = "".join(han.sound[: len(han.family)])
    given = "".join(han.sound[len(han.family) :])
    words = [word.replace("lyu", "lv").replace("nyu", "nv") for word in latin.sound]
    return sorted(words) in (sorted([family, given]), sorted(han.sound)) or "".join(words) in {
        family + given,
        given + family,
    }


def compare_identities(one: Identity | None, other: Identity | None) -> Level:
    """CONFLICT needs two numbers with fitting check characters.

    A slip of the pen always breaks the check character (ISO 7064 MOD 11-2 finds every wrong digit and every exchange of
    two neighbours), so a broken number that is one slip from a proven one is as good as repaired. A number of 15 digits
    has no check character: one digit away from it there may be a twin. Numbers of two kinds of document say nothing of
    each other: a person may have both.
    """
    if one is None or other is None:
        return Level.MISSING
    if one.number == other.number:
        return Level.EQUAL if one.valid and other.valid else Level.UNCHECKED
    if one.checked and other.checked:
        return Level.CONFLICT
    apart = OSA.distance(one.number, other.number, score_cutoff=_IDENTITY_SLIP)
    if apart <= _SLIP and (one.checked or other.checked) and not (one.valid and other.valid):
        return Level.REPAIRED
    if apart <= _IDENTITY_SLIP:
        return Level.NEAR
    return Level.DIFFERENT if one.family == other.family or "unknown" in {one.family, other.family} else Level.MISSING


def _births(one: tuple[str, ...], other: tuple[str, ...]) -> Level:
    if not one or not other:
        return Level.MISSING
    if set(one) & set(other):
        return Level.EQUAL
    return Level.NEAR if any(_near_days(day, that) for day in one for that in other) else Level.DIFFERENT


def _near_days(one: str, other: str) -> bool:
    """One digit wrong, two exchanged, or day and month exchanged."""
    swapped = f"{one[:4]}-{one[8:]}-{one[5:7]}"
    return swapped == other or OSA.distance(one, other, score_cutoff=_SLIP) <= _SLIP


def _sexes(one: tuple[str, ...], other: tuple[str, ...]) -> Level:
    if not one or not other:
        return Level.MISSING
    return Level.EQUAL if set(one) & set(other) else Level.DIFFERENT


def _numbers(one: str, other: str) -> Level:
    if not one or not other:
        return Level.MISSING
    if one == other:
        return Level.EQUAL
    return Level.NEAR if OSA.distance(one, other, score_cutoff=_SLIP) <= _SLIP else Level.DIFFERENT


def _emails(one: str, other: str) -> Level:
    if not one or not other:
        return Level.MISSING
    if one == other:
        return Level.EQUAL
    same_local = one.partition("@")[0] == other.partition("@")[0]
    return Level.PART if same_local or OSA.distance(one, other, score_cutoff=_SLIP) <= _SLIP else Level.DIFFERENT


def _addresses(one: Person, other: Person) -> Level:
    if not one.address or not other.address:
        return Level.MISSING
    if one.address == other.address:
        return Level.EQUAL
    alike = ratio(*sorted((one.address, other.address)))
    if one.address_core and one.address_core == other.address_core:
        return Level.NEAR
    if alike >= _ADDRESS_NEAR and not (one.address_core and other.address_core):
        return Level.NEAR
    return Level.PART if alike >= _ADDRESS_PART else Level.DIFFERENT
