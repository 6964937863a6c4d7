"""What Temporal keeps: a payload that was altered, moved to another workflow, or sent in clear is refused."""

import base64
import os
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from temporalio.api.common.v1 import Payload

from compliance.payloads import codec as codec_module
from compliance.payloads.codec import ENCODING, SealingCodec
from compliance.vault.kek import EnvKek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import EnabledSuites, SealingKey, Suite
from models.database.engine import Database
from models.errors import CannotOpen
from tests.compliance.tamper.sealed_forms import SUITES
from tests.support.clock import FakeClock

SEED = 20_261_123
LEAST = 1_500  # random cases under each suite
NAMESPACES = ("casework", "casework2", "other")
WORKFLOWS = tuple(
    f"{area}/{tenant}.{number:026d}"
    for area in ("installments", "daily")
    for tenant in ("acme", "main")
    for number in (1, 2)
)


@pytest.fixture(params=SUITES, ids=lambda suite: suite.code)
def suite(request: pytest.FixtureRequest) -> Suite:
    chosen: Suite = request.param
    return chosen


@pytest.fixture
def vault(suite: Suite, keys_database: Database, clock: FakeClock) -> Vault:
    """Two tenants under the suite; everything about them is in memory."""
    kek = EnvKek(base64.b64encode(os.urandom(32)).decode())
    initialise_key_store(keys_database, kek=kek, clock=clock)
    others = tuple(one for one in SUITES if one is not suite)
    opened = open_vault(keys_database, kek, clock, suites=EnabledSuites((suite, *others)))
    for tenant in ("acme", "main"):
        opened.ensure_tenant(tenant)
    return opened


class _Tally:
    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.let_through: list[str] = []

    async def attempt(self, kind: str, codec: SealingCodec, payload: Payload) -> None:
        self.tried[kind] += 1
        try:
            await codec.decode([payload])
        except CannotOpen:
            return
        self.let_through.append(kind)


def _codec(vault: Vault, namespace: str, workflow_id: str | None) -> SealingCodec:
    return SealingCodec(vault, namespace=namespace, workflow_id=workflow_id)


async def _sealed(vault: Vault, namespace: str, workflow_id: str, value: bytes) -> Payload:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=value)
    [payload] = await _codec(vault, namespace, workflow_id).encode([plain])
    assert await _codec(vault, namespace, workflow_id).decode([payload]) == [plain]
    return payload


async def _attack(vault: Vault, random: Random, tally: _Tally) -> None:
    """One payload, attacked in each way that there is."""
    namespace, workflow = random.choice(NAMESPACES), random.choice(WORKFLOWS)
    own = _codec(vault, namespace, workflow)
    payload = await _sealed(vault, namespace, workflow, random.randbytes(random.randrange(40)))
    for other in NAMESPACES:
        if other != namespace:
            await tally.attempt("other namespace", _codec(vault, other, workflow), payload)
    for other in random.sample(WORKFLOWS, 3):
        if other != workflow:
            tenant = "other tenant" if other.split(".")[0][-4:] != workflow.split(".")[0][-4:] else "other workflow id"
            await tally.attempt(tenant, _codec(vault, namespace, other), payload)
    letter = _codec(vault, namespace + workflow[0], workflow[1:])
    await tally.attempt("letter from namespace to workflow id", letter, payload)
    await tally.attempt("no workflow", _codec(vault, namespace, None), payload)
    data = bytearray(payload.data)
    for _ in range(random.randrange(1, 4)):
        data[random.randrange(len(data))] ^= random.randrange(1, 256)
    await tally.attempt("noise", own, _with(payload, bytes(data) if data != payload.data else b""))
    await tally.attempt("truncation", own, _with(payload, payload.data[: random.randrange(len(payload.data))]))
    await tally.attempt("extension", own, _with(payload, payload.data + random.randbytes(random.randrange(1, 20))))
    for version in (0, 2, 65_535):
        await tally.attempt("other key version", own, _versioned(payload, version))
        await tally.attempt("version in the metadata only", own, _with(payload, version=str(version).encode()))
    for number in {0, 1, 2, 3, 255} - {payload.data[1]}:
        await tally.attempt("other suite", own, _with(payload, payload.data[:1] + bytes((number,)) + payload.data[2:]))
    for encoding in (b"json/plain", b"binary/plain", b"binary/null", b"json/protobuf", b""):
        await tally.attempt("in clear", own, Payload(metadata={"encoding": encoding}, data=b'"secret"'))
        await tally.attempt("labelled as clear", own, Payload(metadata={"encoding": encoding}, data=payload.data))
    await tally.attempt("labelled as sealed", own, _with(payload, b'{"amount": 1}' + bytes(40)))


def _with(payload: Payload, data: bytes | None = None, *, version: bytes | None = None) -> Payload:
    metadata = {"encoding": ENCODING, "key-version": payload.metadata["key-version"] if version is None else version}
    return Payload(metadata=metadata, data=payload.data if data is None else data)


def _versioned(payload: Payload, version: int) -> Payload:
    data = payload.data[:2] + version.to_bytes(2) + payload.data[4:]
    return _with(payload, data, version=str(version).encode())


async def test_every_random_attack_is_refused(vault: Vault, suite: Suite) -> None:
    random, tally = Random(SEED + suite.id), _Tally()
    for _ in range(60):
        await _attack(vault, random, tally)
    assert tally.let_through == []
    assert tally.tried.total() >= LEAST, tally.tried
    assert all(tally.tried[kind] >= 60 for kind in ("other namespace", "other key version", "other suite", "in clear"))
    assert tally.tried["other tenant"] + tally.tried["other workflow id"] >= 100


async def test_every_bit_and_every_length_is_refused(vault: Vault) -> None:
    tally, own = _Tally(), _codec(vault, NAMESPACES[0], WORKFLOWS[0])
    payload = await _sealed(vault, NAMESPACES[0], WORKFLOWS[0], b'"secret"')
    for bit in range(len(payload.data) * 8):
        data = bytearray(payload.data)
        data[bit // 8] ^= 1 << bit % 8
        await tally.attempt("bit", own, _with(payload, bytes(data)))
    for length in range(len(payload.data)):
        await tally.attempt("truncation", own, _with(payload, payload.data[:length]))
    assert tally.let_through == []
    assert tally.tried["bit"] == len(payload.data) * 8 > 400


async def test_a_payload_of_the_other_version_of_the_same_key_is_refused(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where both versions had one secret: the version is bound, not only looked up."""
    payload = await _sealed(vault, NAMESPACES[0], WORKFLOWS[0], b"x")
    key = vault.workflow_sealer(tenant="acme", workflow_id=WORKFLOWS[0])
    twin = SealingKey(key.suite, key._secret, version=2)
    monkeypatch.setattr(vault, "workflow_sealer_in_memory", lambda **_: twin)
    own = _codec(vault, NAMESPACES[0], WORKFLOWS[0])
    with pytest.raises(CannotOpen):
        await own.decode([_versioned(payload, 2)])
    assert await own.decode(await own.encode([Payload(data=b"y")])) == [Payload(data=b"y")]


# Would it be noticed? -------------------------------------------------------------------------------------------------


def _one_key_for_all(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    key = vault.workflow_sealer(tenant="acme", workflow_id=WORKFLOWS[0])
    monkeypatch.setattr(vault, "workflow_sealer_in_memory", lambda **_: key)


@pytest.mark.parametrize(
    ("binding", "hole"),
    [
        (lambda self, header: codec_module.framed(header, self._workflow_id or ""), "other namespace"),
        (lambda self, header: codec_module.framed(header, self._namespace or ""), "other workflow id"),
        (lambda self, header: f"{header!r}{self._namespace}{self._workflow_id}".encode(), "letter from namespace"),
    ],
    ids=["namespace left out", "workflow id left out", "joined as text"],
)
async def test_a_binding_that_forgets_a_part_is_noticed(
    binding: Callable[[SealingCodec, bytes], bytes], hole: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    _one_key_for_all(vault, monkeypatch)  # the key of a workflow would notice as well: here only the binding can
    monkeypatch.setattr(SealingCodec, "_binding", binding)
    random, tally = Random(SEED), _Tally()
    for _ in range(20):
        await _attack(vault, random, tally)
    assert any(kind.startswith(hole) for kind in tally.let_through)


async def test_the_binding_alone_refuses_what_a_shared_key_would_let_through(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    _one_key_for_all(vault, monkeypatch)
    random, tally = Random(SEED), _Tally()
    for _ in range(20):
        await _attack(vault, random, tally)
    assert tally.let_through == []
