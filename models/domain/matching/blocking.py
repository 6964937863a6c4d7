"""By what candidates are found: two records that share none of these values are not compared.

Each value goes under the linkage key before it is stored (`compliance.vault.linkage`); nothing here leaves memory.
A slip in one or two fields leaves another value equal: see the table of docs/matching.md.
"""

from enum import IntEnum
from typing import Final

from models.domain.matching.person import Person


class Block(IntEnum):
    """Kinds of blocking value. The number is stored and never used again for something else."""

    IDENTITY = 1
    MOBILE = 2
    ACCOUNT = 3
    EMAIL = 4
    SOUND_BORN = 5
    NAME_ADDRESS = 6
    BORN_ADDRESS = 7
    NAME = 8  # finds nobody: how common a name is


SEARCHED: Final = tuple(kind for kind in Block if kind is not Block.NAME)
# How many bearers of a value are counted as several persons: distinct values of this one.
BEARER: Final = Block.SOUND_BORN


def blocking_row(person: Person) -> tuple[str, ...]:
    """The values of a record in the order of `Block`; empty where a part is missing."""
    name, core, identity = person.name, person.address_core, person.identity
    sound, born = name.letters, person.births[0] if person.births else ""
    return (
        "" if identity is None else identity.number,
        person.mobile,
        person.account,
        person.email,
        f"{sound}|{born}" if sound and born else "",
        f"{sound}|{core}" if sound and core else "",
        f"{born}|{core}" if born and core else "",
        name.text,
    )


def blocking_values(person: Person) -> dict[Block, str]:
    """The same by kind; kinds whose parts are missing are left out."""
    return {kind: value for kind, value in zip(Block, blocking_row(person), strict=True) if value}
