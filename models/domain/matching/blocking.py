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


def blocking_values(person: Person) -> dict[Block, str]:
    """The values of a record; kinds whose parts are missing are left out."""
    values: dict[Block, str] = {}
    sound, core = person.name.letters, person.address_core
    born = person.births[0] if person.births else ""
    if person.identity is not None:
        values[Block.IDENTITY] = person.identity.number
    contacts = ((Block.MOBILE, person.mobile), (Block.ACCOUNT, person.account), (Block.EMAIL, person.email))
    values |= {kind: value for kind, value in contacts if value}
    if sound and born:
        values[Block.SOUND_BORN] = f"{sound}|{born}"
    if sound and core:
        values[Block.NAME_ADDRESS] = f"{sound}|{core}"
    if born and core:
        values[Block.BORN_ADDRESS] = f"{born}|{core}"
    if person.name.text:
        values[Block.NAME] = person.name.text
    return values
