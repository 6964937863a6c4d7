"""The payload codec: everything that Temporal stores is sealed under a key of its workflow (docs/wire-format.md).

The key follows from the tenant's `temporal` branch key and the workflow id, and what is sealed is bound to namespace
and workflow id, so a payload that was moved to another workflow does not open. A payload in clear is refused, whoever
sent it. The runs of one Schedule are one workflow here: each is handed the result of the one before
(`models.domain.ids.sealing_id`). Headers are not sealed (the SDK encodes them without a context), so they carry nothing
but `traceparent`.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.suites import SealingKey
from models.domain.ids import sealing_id, tenant_of_workflow
from models.errors import CannotOpen

ENCODING: Final = b"binary/encrypted"  # the label that Temporal's own tools show as "encrypted"
PAYLOAD_FORMAT: Final = 1
_HEADER_BYTES: Final = 4


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Seals each payload, metadata and all, as `format(1) suite(1) key_version(2) nonce(12) ciphertext tag(16)`."""

    def __init__(self, vault: Vault, *, namespace: str | None = None, workflow_id: str | None = None) -> None:
        """Without a workflow id it seals and opens nothing; the SDK binds it by `with_context`."""
        self._vault = vault
        self._namespace = namespace
        self._workflow_id = workflow_id

    def with_context(self, context: SerializationContext) -> Self:
        """The codec for one workflow.

        Raises:
            ValueError: the context is of another namespace than the one this codec was made for.
        """
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return type(self)(self._vault, namespace=self._namespace)
        if self._namespace is not None and context.namespace != self._namespace:
            raise ValueError(
                f"this codec is for namespace {self._namespace}, not {context.namespace}: Replayer(namespace=…)"
            )
        workflow_id = sealing_id(context.workflow_id) if context.workflow_id else None
        return type(self)(self._vault, namespace=context.namespace, workflow_id=workflow_id)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal.

        Raises:
            RuntimeError: the payload belongs to no workflow, so there is no key for it.
            ValueError: the workflow id names no tenant.
            KeysUnavailable: the key store does not answer, or the tenant has no keys.
        """
        if not payloads:
            return []
        if self._workflow_id is None:
            raise RuntimeError("a payload outside any workflow has no key: it is not sent")
        key = await self._key(self._workflow_id, version=None)
        header = bytes((PAYLOAD_FORMAT, key.suite.id)) + key.version.to_bytes(2)
        binding = self._binding(header)
        return [
            Payload(
                metadata={"encoding": ENCODING, "key-version": str(key.version).encode()},
                data=header + key.seal(payload.SerializeToString(), binding),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open.

        Raises:
            CannotOpen: in clear, altered, of another workflow or namespace, or under a key that is not here.
            KeysUnavailable: the key store does not answer, or the tenant has no keys.
        """
        return [await self._opened(payload) for payload in payloads]

    async def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            raise CannotOpen(detail="a payload in clear is refused")
        if self._workflow_id is None:
            raise CannotOpen(detail="a payload outside any workflow has no key")
        header = payload.data[:_HEADER_BYTES]
        if len(header) < _HEADER_BYTES or header[0] != PAYLOAD_FORMAT:
            raise CannotOpen(detail=f"payload of {self._workflow_id}: unknown format")
        version = int.from_bytes(header[2:])
        if payload.metadata.get("key-version") != str(version).encode():
            raise CannotOpen(detail=f"payload of {self._workflow_id}: its metadata were altered")
        try:
            key = await self._key(self._workflow_id, version=version)
        except ValueError:
            raise CannotOpen(detail="a payload of a workflow whose id names no tenant") from None
        if header[1] != key.suite.id:
            raise CannotOpen(detail=f"payload of {self._workflow_id}: unknown suite")
        try:
            return Payload.FromString(key.open(payload.data[_HEADER_BYTES:], self._binding(header)))
        except CannotOpen:
            raise CannotOpen(detail=f"payload of {self._workflow_id}: altered, or another workflow's") from None

    async def _key(self, workflow_id: str, *, version: int | None) -> SealingKey:
        tenant = tenant_of_workflow(workflow_id)
        key = self._vault.workflow_sealer_in_memory(tenant=tenant, workflow_id=workflow_id, version=version)
        if key is not None:
            return key
        # Reads the key store, at most once in `KEY_TTL` for a tenant: not on the event loop.
        return await asyncio.to_thread(
            self._vault.workflow_sealer, tenant=tenant, workflow_id=workflow_id, version=version
        )

    def _binding(self, header: bytes) -> bytes:
        return framed("casework.payload", header, self._namespace or "", self._workflow_id or "")
