"""The life of a version of a key (NIST SP 800-57, part 1, §7): which states there are, and which step leads where.

A version is *published* before it is used, so that every process knows it when the first value under it appears. One
version of each tenant and purpose is *active* and seals. Older ones are *decrypt-only*. What nothing uses any more is
*retired*: it lies in the key store and opens nothing, so that a mistake can be undone. *Destroyed* is for good; the row
stays as evidence, without the key.
"""

from enum import StrEnum
from typing import Final

from models.errors import WrongState


class KeyState(StrEnum):
    """Where a version stands."""

    PUBLISHED = "published"
    ACTIVE = "active"
    DECRYPT_ONLY = "decrypt-only"
    RETIRED = "retired"
    DESTROYED = "destroyed"


# Every step there is, and the deed by which the audit log names it. None: the version did not exist.
STEPS: Final[dict[tuple[KeyState | None, KeyState], str]] = {
    (None, KeyState.PUBLISHED): "key.published",
    (None, KeyState.ACTIVE): "key.created",  # the first version: there is nobody to whom it would have to be told
    (KeyState.PUBLISHED, KeyState.ACTIVE): "key.activated",
    (KeyState.PUBLISHED, KeyState.DESTROYED): "key.withdrawn",  # it never sealed anything
    (KeyState.ACTIVE, KeyState.DECRYPT_ONLY): "key.superseded",
    (KeyState.DECRYPT_ONLY, KeyState.RETIRED): "key.retired",
    (KeyState.RETIRED, KeyState.DECRYPT_ONLY): "key.reinstated",
    (KeyState.RETIRED, KeyState.DESTROYED): "key.destroyed",
}
# A version in one of these states opens what was sealed under it; only ACTIVE seals.
OPENING: Final = frozenset({KeyState.PUBLISHED, KeyState.ACTIVE, KeyState.DECRYPT_ONLY})


def deed_of(before: KeyState | None, after: KeyState) -> str:
    """The audit log's name of a step.

    Raises:
        WrongState: no such step; `params.state` is where the version stands.
    """
    deed = STEPS.get((before, after))
    if deed is None:
        found = "missing" if before is None else before.value
        raise WrongState(detail=f"a key that is {found} cannot become {after.value}", params={"state": found})
    return deed
