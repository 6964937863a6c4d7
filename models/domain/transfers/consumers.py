"""Who lies downstream of a transfer (下游系统) and in which form they get the changed records. Pure.

A plan names them under `consumers`; both companies approve it. No form shows a person in clear to whoever finds
the file: `pseudonymous` replaces each value by a keyed token of the consumer's own, `sealed` seals the whole part to
the consumer's public key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_NAME: Final = re.compile(r"\A[a-z][a-z0-9-]{0,39}\Z")
_KEY: Final = re.compile(r"\A[0-9a-f]{64}\Z")


class ConsumerKind(StrEnum):
    """How a part gets there."""

    CSV = "csv"
    PARQUET = "parquet"
    HOOK = "hook"  # HTTP POST, as of a CRM


class ConsumerForm(StrEnum):
    """What stands in a part."""

    PSEUDONYMOUS = "pseudonymous"
    SEALED = "sealed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """One consumer.

    Attributes:
        public_key: X25519, 32 bytes in hexadecimal digits; of a sealed form only.
        url: of a hook only.
    """

    name: str
    kind: ConsumerKind
    form: ConsumerForm
    public_key: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be handed over.

        Raises:
            ValueError: naming the setting.
        """
        if _NAME.match(self.name) is None:
            raise ValueError("a consumer's name is of lower-case letters, digits and hyphens")
        if self.form is ConsumerForm.SEALED and (self.public_key is None or _KEY.match(self.public_key) is None):
            raise ValueError(f"consumer {self.name}: publicKey is missing, or not 64 hexadecimal digits")
        if self.kind is ConsumerKind.HOOK and not (self.url or "").startswith(("https://", "http://127.0.0.1:")):
            raise ValueError(f"consumer {self.name}: url of a hook is https, or http on this machine")


def consumers_of(plan: Mapping[str, Any]) -> tuple[Consumer, ...]:
    """The consumers that a plan names.

    Raises:
        ValueError: one of them cannot be used; which one and why is said.
    """
    found = [
        Consumer(
            name=str(each["name"]),
            kind=ConsumerKind(each["kind"]),
            form=ConsumerForm(each["form"]),
            public_key=each.get("publicKey"),
            url=each.get("url"),
        )
        for each in plan.get("consumers", ())
    ]
    if len({each.name for each in found}) != len(found):
        raise ValueError("two consumers have one name")
    return tuple(found)
