"""A payload opens in its own workflow and nowhere else; what comes in clear is not taken."""

import json
from typing import Any

import pytest
from sqlalchemy import event
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from compliance.payloads.codec import ENCODING, SealingCodec
from compliance.payloads.converter import data_converter
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable

NAMESPACE = "test-namespace"
WORKFLOW = "installments/acme.0123456789abcdefghjkmnpqrs"
SECRET = "王小明 110101199003071230"


def _workflow(workflow_id: str = WORKFLOW, *, namespace: str = NAMESPACE) -> SerializationContext:
    return WorkflowSerializationContext(namespace=namespace, workflow_id=workflow_id)


def _activity(workflow_id: str | None = WORKFLOW) -> SerializationContext:
    return ActivitySerializationContext(
        namespace=NAMESPACE,
        activity_id="1",
        activity_type="write_stage",
        activity_task_queue="cases",
        workflow_id=workflow_id,
        workflow_type="InstallmentCase",
        is_local=True,
    )


async def _sealed(converter: DataConverter, value: Any = SECRET) -> Payload:
    [payload] = await converter.with_context(_workflow()).encode([value])
    return payload


async def test_a_payload_is_sealed_with_its_own_metadata(converter: DataConverter) -> None:
    payload = await _sealed(converter)
    raw = payload.SerializeToString()
    assert payload.metadata["encoding"] == ENCODING
    assert payload.metadata["key-version"] == b"1"
    assert "王小明".encode() not in raw
    assert b"110101199003071230" not in raw
    assert b"json/plain" not in raw


async def test_a_workflow_and_its_activities_read_the_same_payloads(converter: DataConverter) -> None:
    """The activity's own contexts carry the workflow's id; type and queue are not always the same at both ends."""
    payload = await _sealed(converter)
    for context in (_workflow(), _activity()):
        assert await converter.with_context(context).decode([payload]) == [SECRET]


@pytest.mark.parametrize(
    "context",
    [
        _workflow("installments/acme.anotherxxxxxxxxxxxxxxxxxxx"),
        _workflow("daily/acme/2026-11-23"),
        _workflow(WORKFLOW.replace("acme", "other")),
        _activity("installments/acme.anotherxxxxxxxxxxxxxxxxxxx"),
    ],
    ids=["another case", "another area", "another tenant", "an activity of another case"],
)
async def test_a_payload_moved_to_another_workflow_is_refused(
    converter: DataConverter, context: SerializationContext
) -> None:
    payload = await _sealed(converter)
    with pytest.raises(CannotOpen, match="another workflow"):
        await converter.with_context(context).decode([payload])


async def test_the_runs_of_one_schedule_read_each_other_and_no_others(converter: DataConverter) -> None:
    """Each is handed the result of the one before."""
    first, second = (f"daily/acme/scheduled-2026-11-{day}T12:00:00Z" for day in (23, 24))
    payload = (await converter.with_context(_workflow(first)).encode([SECRET]))[0]
    assert await converter.with_context(_workflow(second)).decode([payload]) == [SECRET]
    assert await converter.with_context(_workflow("daily/acme/scheduled")).decode([payload]) == [SECRET]
    for other in (second.replace("acme", "other"), second.replace("daily", "accuracy"), "daily/acme/2026-11-23"):
        with pytest.raises(CannotOpen, match="another workflow"):
            await converter.with_context(_workflow(other)).decode([payload])


async def test_a_payload_moved_to_another_namespace_is_refused(bank: Vault) -> None:
    converter = data_converter(bank)
    payload = await _sealed(converter)
    with pytest.raises(CannotOpen):
        await converter.with_context(_workflow(namespace="elsewhere")).decode([payload])


def test_a_context_of_another_namespace_is_refused_with_what_to_do(converter: DataConverter) -> None:
    with pytest.raises(ValueError, match="Replayer"):
        converter.with_context(_workflow(namespace="ReplayNamespace"))


@pytest.mark.parametrize("encoding", [b"json/plain", b"binary/null", b"binary/plain", b"", None])
async def test_a_payload_in_clear_is_refused(converter: DataConverter, encoding: bytes | None) -> None:
    payload = Payload(metadata={} if encoding is None else {"encoding": encoding}, data=b'"approved"')
    with pytest.raises(CannotOpen, match="in clear"):
        await converter.with_context(_workflow()).decode([payload])


async def test_every_flipped_bit_is_refused(converter: DataConverter) -> None:
    payload = await _sealed(converter, "x")
    bound = converter.with_context(_workflow())
    for bit in range(len(payload.data) * 8):
        data = bytearray(payload.data)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            await bound.decode([Payload(metadata=payload.metadata, data=bytes(data))])
    for data_cut in (payload.data[:length] for length in (0, 1, 4, 16, len(payload.data) - 1)):
        with pytest.raises(CannotOpen):
            await bound.decode([Payload(metadata=payload.metadata, data=data_cut)])


async def test_altered_metadata_are_refused(converter: DataConverter) -> None:
    payload = await _sealed(converter)
    for metadata in ({"encoding": ENCODING}, {"encoding": ENCODING, "key-version": b"2"}):
        with pytest.raises(CannotOpen, match="metadata"):
            await converter.with_context(_workflow()).decode([Payload(metadata=metadata, data=payload.data)])


@pytest.mark.parametrize(
    "context", [None, _activity(None), _activity(""), NexusSerializationContext("endpoint", "service", "operation")]
)
async def test_without_a_workflow_nothing_is_sealed_or_opened(
    converter: DataConverter, context: SerializationContext | None
) -> None:
    payload = await _sealed(converter)
    unbound = converter if context is None else converter.with_context(context)
    with pytest.raises(RuntimeError, match="outside any workflow"):
        await unbound.encode([SECRET])
    with pytest.raises(CannotOpen, match="outside any workflow"):
        await unbound.decode([payload])


@pytest.mark.parametrize("context", [_activity(None), NexusSerializationContext("endpoint", "service", "operation")])
async def test_a_bound_codec_that_is_bound_again_forgets_the_first_workflow(
    bank: Vault, context: SerializationContext
) -> None:
    codec = SealingCodec(bank).with_context(_workflow()).with_context(context)
    with pytest.raises(RuntimeError):
        await codec.encode([Payload()])


async def test_a_workflow_id_without_a_tenant_has_no_key(converter: DataConverter) -> None:
    bound = converter.with_context(_workflow("nonsense"))
    with pytest.raises(ValueError, match="tenant"):
        await bound.encode([SECRET])
    with pytest.raises(CannotOpen, match="no tenant"):
        await bound.decode([await _sealed(converter)])


async def test_a_tenant_without_keys_is_said_so(converter: DataConverter) -> None:
    with pytest.raises(KeysUnavailable, match="ensure_tenant"):
        await converter.with_context(_workflow("installments/unknown.1")).encode([SECRET])


async def test_no_payloads_need_no_key(converter: DataConverter) -> None:
    assert await SealingCodec.encode(converter.payload_codec, []) == []  # type: ignore[arg-type]


async def test_the_event_loop_does_not_wait_for_the_key_store(
    bank: Vault, converter: DataConverter, keys_database: Database
) -> None:
    import threading

    threads: set[str] = set()

    @event.listens_for(keys_database.engine, "before_cursor_execute")
    def _where(*_arguments: object) -> None:
        threads.add(threading.current_thread().name)

    bank.forget()
    payload = await _sealed(converter)
    await converter.with_context(_workflow()).decode([payload])
    assert threads
    assert threading.main_thread().name not in threads
    threads.clear()
    await converter.with_context(_workflow("installments/acme.new")).encode([SECRET])
    assert threads == set()  # the branch key is in memory: a new case costs no query


async def test_the_text_and_the_trace_of_a_failure_are_sealed(converter: DataConverter) -> None:
    failure = Failure()
    bound = converter.with_context(_workflow())
    error = ApplicationError(SECRET, {"detail": SECRET}, type="BureauRefused")
    error.__cause__ = ValueError(SECRET)
    await bound.encode_failure(error, failure)
    raw = failure.SerializeToString()
    assert "王小明".encode() not in raw
    assert b"110101199003071230" not in raw
    assert failure.message == "Encoded failure"
    back = await bound.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert (back.message, back.type, back.details) == (SECRET, "BureauRefused", ({"detail": SECRET},))


async def test_the_failure_of_another_workflow_is_refused(converter: DataConverter) -> None:
    failure = Failure()
    await converter.with_context(_workflow()).encode_failure(ApplicationError(SECRET), failure)
    with pytest.raises(CannotOpen):
        await converter.with_context(_workflow("installments/acme.another")).decode_failure(failure)


async def test_a_history_under_two_key_versions_is_read(
    bank: Vault, converter: DataConverter, keys_database: Database
) -> None:
    """What was sealed before a rotation opens beside what is sealed after it."""
    from sqlmodel import select

    from compliance.vault.branches import branch_binding
    from compliance.vault.states import KeyState
    from compliance.vault.tables import BranchKey

    before = await _sealed(converter, "before")
    with keys_database.write() as session:
        row = session.exec(select(BranchKey).where(BranchKey.tenant == "acme", BranchKey.purpose == "temporal")).one()
        row.state = KeyState.DECRYPT_ONLY
        wrapped = bank.branches.kek.wrap(
            bytes(range(32)), associated_data=branch_binding("acme", "temporal", row.version + 1, row.suite)
        )
        changed = {"version": row.version + 1, "wrapped": wrapped, "state": KeyState.ACTIVE}
        session.add(BranchKey(**(row.model_dump() | changed)))
    bank.forget()
    after = await _sealed(converter, "after")
    assert (before.metadata["key-version"], after.metadata["key-version"]) == (b"1", b"2")
    assert await converter.with_context(_workflow()).decode([before, after]) == ["before", "after"]


async def test_the_form_of_a_payload_is_the_documented_one(bank: Vault, converter: DataConverter) -> None:
    from compliance.vault.framing import framed
    from compliance.vault.suites import AES_256_GCM

    payload = await _sealed(converter)
    header, nonce, ciphertext = payload.data[:4], payload.data[4:16], payload.data[16:]
    assert header == bytes((1, 1, 0, 1))
    _, key = bank.workflow_key(tenant="acme", workflow_id=WORKFLOW)
    plain = AES_256_GCM.aead(key).decrypt(nonce, ciphertext, framed("casework.payload", header, NAMESPACE, WORKFLOW))
    inner = Payload.FromString(plain)
    assert inner.metadata["encoding"] == b"json/plain"
    assert json.loads(inner.data) == SECRET
