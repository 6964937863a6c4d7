"""How payloads become bytes: pydantic JSON by one shared converter, sealed by the codec, texts of failures too."""

from typing import ClassVar, Self

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from compliance.payloads.codec import SealingCodec
from compliance.vault.keyring import Vault


class SharedPydanticConverter(PydanticPayloadConverter):
    """One per process, so that type adapters are built once and not once per case.

    The SDK makes a converter per workflow and per data converter; each would begin with an empty cache.
    """

    _one: ClassVar[Self | None] = None

    def __new__(cls) -> Self:
        """The one instance."""
        if cls._one is None:
            one = super().__new__(cls)
            PydanticPayloadConverter.__init__(one)
            cls._one = one
        return cls._one

    def __init__(self) -> None:
        """Already set up by `__new__`."""


def data_converter(vault: Vault, namespace: str | None = None) -> DataConverter:
    """The converter that every client, worker and replayer uses.

    Args:
        vault: where the keys come from.
        namespace: if given, payloads of any other namespace are refused with a text that says so. Note that
            `Replayer` takes a `namespace` of its own, which must be the one that the history was written in.
    """
    return DataConverter(
        payload_converter_class=SharedPydanticConverter,
        payload_codec=SealingCodec(vault, namespace=namespace),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
