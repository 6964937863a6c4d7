"""Recipes of dirt, as data: how often what is wrong with a transferor's file, in per mille of its rows.

Those that a check turns away (missing, transposed and mistyped numbers, formulas, ragged lines) come to quarantine, and
somebody has to correct them; the others pass, and make it harder to see that two records are one person.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

PER_MILLE: Final = 1000


class Dirt(StrEnum):
    """One way in which a row of the transferor's file is not what it should be."""

    ID_MISSING = "id-missing"
    ID_TRANSPOSED = "id-transposed"  # two neighbouring digits swapped
    ID_CHECKSUM = "id-checksum"  # another last character
    ID_LEGACY = "id-legacy"  # 15 digits
    ID_EXPIRED = "id-expired"
    NAME_MISSING = "name-missing"
    NAME_TYPO = "name-typo"  # a character that sounds or looks alike
    NAME_TRADITIONAL = "name-traditional"
    MOBILE_CHANGED = "mobile-changed"
    MOBILE_MALFORMED = "mobile-malformed"
    EMAIL_CHANGED = "email-changed"
    ADDRESS_MOVED = "address-moved"
    FULL_WIDTH = "full-width"  # numbers as they are typed with a Chinese keyboard, and with spaces
    FORMULA = "formula"  # a cell that a spreadsheet would run
    RAGGED = "ragged"  # a line with a column too many or too few
    DUPLICATE = "duplicate"  # the same line again, a few lines further down


# What no row with it can be taken over without somebody's correction.
TO_CORRECT: Final = frozenset(
    {
        Dirt.ID_MISSING,
        Dirt.ID_TRANSPOSED,
        Dirt.ID_CHECKSUM,
        Dirt.NAME_MISSING,
        Dirt.MOBILE_MALFORMED,
        Dirt.FORMULA,
        Dirt.RAGGED,
    }
)


class RecipeInvalid(ValueError):
    """A recipe cannot be used. The text names the member and the rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How dirty a file is.

    Attributes:
        dirt: per mille of the rows.
        twins: per mille of every other customer who is the twin of the one before: surname, birth date, address,
            mobile and often the account in common, the ID number not.
        households: likewise for people of one household: address and often mobile in common.
    """

    dirt: Mapping[Dirt, int] = field(default_factory=dict[Dirt, int])
    twins: int = 0
    households: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no share.

        Raises:
            RecipeInvalid: a figure is not 0 to 1000, or twins and households are more than everybody.
        """
        rates: list[tuple[str, int]] = [*self.dirt.items(), ("twins", self.twins), ("households", self.households)]
        for name, rate in rates:
            if type(rate) is not int or not 0 <= rate <= PER_MILLE:
                raise RecipeInvalid(f"{name}: a whole number from 0 to {PER_MILLE}, per mille")
        if self.twins + self.households > PER_MILLE:
            raise RecipeInvalid(f"twins and households together are at most {PER_MILLE} per mille")

    def as_record(self) -> dict[str, Any]:
        """As it is written beside a book."""
        return {
            "twins": self.twins,
            "households": self.households,
            "dirt": {kind.value: rate for kind, rate in sorted(self.dirt.items())},
        }


RECIPES: Final[Mapping[str, Recipe]] = {
    "clean": Recipe(),
    # What a well-kept book of a few thousand has, with something of everything.
    "standard": Recipe(
        twins=40,
        households=80,
        dirt={
            Dirt.ID_MISSING: 6,
            Dirt.ID_TRANSPOSED: 5,
            Dirt.ID_CHECKSUM: 4,
            Dirt.ID_LEGACY: 20,
            Dirt.ID_EXPIRED: 15,
            Dirt.NAME_MISSING: 2,
            Dirt.NAME_TYPO: 15,
            Dirt.NAME_TRADITIONAL: 10,
            Dirt.MOBILE_CHANGED: 150,
            Dirt.MOBILE_MALFORMED: 4,
            Dirt.EMAIL_CHANGED: 200,
            Dirt.ADDRESS_MOVED: 150,
            Dirt.FULL_WIDTH: 15,
            Dirt.FORMULA: 3,
            Dirt.RAGGED: 3,
            Dirt.DUPLICATE: 8,
        },
    ),
    # Noise as measured on books that were kept apart for years.
    "noisy": Recipe(
        twins=20,
        households=60,
        dirt={
            Dirt.ID_MISSING: 60,
            Dirt.ID_TRANSPOSED: 30,
            Dirt.ID_LEGACY: 20,
            Dirt.ID_EXPIRED: 20,
            Dirt.NAME_TYPO: 40,
            Dirt.MOBILE_CHANGED: 300,
            Dirt.EMAIL_CHANGED: 570,
            Dirt.ADDRESS_MOVED: 350,
            Dirt.DUPLICATE: 5,
        },
    ),
    # Hardly anything that needs a person, for books with a million rows.
    "gentle": Recipe(
        twins=10,
        households=40,
        dirt={
            Dirt.ID_MISSING: 1,
            Dirt.ID_CHECKSUM: 1,
            Dirt.ID_LEGACY: 10,
            Dirt.ID_EXPIRED: 5,
            Dirt.NAME_TYPO: 2,
            Dirt.MOBILE_CHANGED: 100,
            Dirt.EMAIL_CHANGED: 100,
            Dirt.ADDRESS_MOVED: 100,
            Dirt.DUPLICATE: 2,
        },
    ),
    # Households and twins wherever there can be any.
    "households": Recipe(twins=500, households=300, dirt={Dirt.ID_MISSING: 400, Dirt.MOBILE_CHANGED: 50}),
}


def read_recipe(path: Path) -> Recipe:
    """A recipe of one's own (TOML): `twins`, `households`, and a table `dirt` of kinds with their rates.

    Raises:
        RecipeInvalid: it is no such file, or a member is unknown or no share.
        OSError: it cannot be read.
    """
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeInvalid(f"this is no TOML ({error})") from None
    unknown = known.keys() - {"twins", "households", "dirt"}
    if unknown:
        raise RecipeInvalid(f"{min(unknown)}: unknown; there are twins, households and dirt")
    rates = known.get("dirt", {})
    kinds = [kind.value for kind in Dirt]
    strange = sorted(set(rates) - set(kinds)) if isinstance(rates, dict) else ["dirt"]
    if strange:
        raise RecipeInvalid(f"{strange[0]}: no kind of dirt; there are {', '.join(kinds)}")
    return Recipe(
        twins=known.get("twins", 0),
        households=known.get("households", 0),
        dirt={Dirt(name): rate for name, rate in rates.items()},
    )
