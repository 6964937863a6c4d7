"""Whatever happens to a backup is detected, and named: which kind, in which chunk or record."""

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.transfers.backup_container import SEALED_CHUNK_BYTES, check_container, read_container
from compliance.transfers.backup_envelopes import Secrets, open_as_escrow
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_manifest import read_document, signed, verified
from compliance.transfers.backup_proof import prove
from compliance.transfers.record_proofs import ProofKey
from compliance.vault.files import HEADER_BYTES
from compliance.vault.suites import AES_256_GCM, SM4_GCM
from models.domain.customers.record import FIELDS
from tests.support.transfer_containers import ESCROW, NAME, SIGNING, Backup, backup, records

ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.fixture(scope="module", params=[AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup of a few chunks, once under each suite; nobody changes it."""
    return backup(tmp_path_factory.mktemp("whole"), suite=request.param)


@pytest.fixture
def kept(whole: Backup, tmp_path: Path) -> Backup:
    """A copy of it, to be damaged."""
    return whole.copied(tmp_path)


def _fault(kept: Backup, **changes: Any) -> BackupFault:
    with pytest.raises(BackupFault) as found:
        prove(
            kept.container, changes.get("manifest", kept.manifest), changes.get("secrets", kept.secrets), scratch=None
        )
    return found.value


def _parts(kept: Backup) -> tuple[bytes, list[bytes]]:
    content = kept.container.read_bytes()
    chunks = [
        content[begin : begin + SEALED_CHUNK_BYTES] for begin in range(HEADER_BYTES, len(content), SEALED_CHUNK_BYTES)
    ]
    return content[:HEADER_BYTES], chunks


def test_a_whole_one_is_proven_by_restore_and_by_reading(kept: Backup, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    by_restore = prove(kept.container, kept.manifest, kept.secrets, scratch=scratch)
    assert by_restore == prove(kept.container, kept.manifest, kept.secrets, scratch=None)
    assert by_restore["rows"] == len(records())
    assert list(scratch.iterdir()) == []
    assert len(_parts(kept)[1]) >= 4


@given(place=st.integers(0, 1 << 30), bit=st.integers(0, 7))
@ONE_FOLDER
def test_one_flipped_bit_is_named_by_its_chunk(kept: Backup, whole: Backup, place: int, bit: int) -> None:
    content = bytearray(whole.container.read_bytes())
    place %= len(content)
    content[place] ^= 1 << bit
    kept.container.write_bytes(content)
    fault = _fault(kept)
    if place < HEADER_BYTES:
        assert (fault.code, fault.chunk) == (FaultCode.HEADER_ALTERED, None)
    else:
        assert (fault.code, fault.chunk) == (FaultCode.CHUNK_ALTERED, (place - HEADER_BYTES) // SEALED_CHUNK_BYTES)


@given(data=st.data())
@ONE_FOLDER
def test_a_missing_chunk_is_named(kept: Backup, whole: Backup, data: st.DataObject) -> None:
    header, chunks = _parts(whole)
    gone = data.draw(st.integers(0, len(chunks) - 1))
    last = gone == len(chunks) - 1
    del chunks[gone]
    kept.container.write_bytes(header + b"".join(chunks))
    fault = _fault(kept)
    assert (fault.code, fault.chunk) == (FaultCode.TRUNCATED if last else FaultCode.CHUNK_MISSING, gone)


@given(data=st.data())
@ONE_FOLDER
def test_a_swapped_chunk_is_named(kept: Backup, whole: Backup, data: st.DataObject) -> None:
    header, chunks = _parts(whole)
    one, other = sorted(
        data.draw(st.lists(st.integers(0, len(chunks) - 2), min_size=2, max_size=2, unique=True))
    )  # the last one is shorter: the chunks behind it would be cut anew
    chunks[one], chunks[other] = chunks[other], chunks[one]
    kept.container.write_bytes(header + b"".join(chunks))
    fault = _fault(kept)
    assert (fault.code, fault.chunk, fault.other) == (FaultCode.CHUNK_SWAPPED, one, other)


def test_a_chunk_that_stands_twice_is_named(kept: Backup) -> None:
    header, chunks = _parts(kept)
    chunks[2] = chunks[1]
    kept.container.write_bytes(header + b"".join(chunks))
    fault = _fault(kept)
    assert (fault.code, fault.chunk, fault.other) == (FaultCode.CHUNK_SWAPPED, 2, 1)


@given(data=st.data())
@ONE_FOLDER
def test_a_truncated_file_is_named_where_it_ends(kept: Backup, whole: Backup, data: st.DataObject) -> None:
    content = whole.container.read_bytes()
    length = data.draw(st.integers(HEADER_BYTES, len(content) - 1))
    kept.container.write_bytes(content[:length])
    fault = _fault(kept)
    assert (fault.code, fault.chunk) == (FaultCode.TRUNCATED, (length - HEADER_BYTES) // SEALED_CHUNK_BYTES)


@given(more=st.binary(min_size=1, max_size=100))
@ONE_FOLDER
def test_what_was_written_behind_the_end_is_named(kept: Backup, whole: Backup, more: bytes) -> None:
    kept.container.write_bytes(whole.container.read_bytes() + more)
    assert _fault(kept).code is FaultCode.TOO_LONG


@given(damage=st.data())
@ONE_FOLDER
def test_no_random_damage_passes(kept: Backup, whole: Backup, damage: st.DataObject) -> None:
    content = whole.container.read_bytes()
    begin = damage.draw(st.integers(0, len(content)))
    end = damage.draw(st.integers(begin, min(len(content), begin + 200_000)))
    altered = content[:begin] + damage.draw(st.binary(max_size=64)) + content[end:]
    kept.container.write_bytes(altered)
    if altered == content:
        prove(kept.container, kept.manifest, kept.secrets, scratch=None)
    else:
        _fault(kept)


def test_a_container_that_is_not_there_is_named(kept: Backup) -> None:
    kept.container.unlink()
    assert _fault(kept).code is FaultCode.CONTAINER_MISSING


# Keys -----------------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_named(kept: Backup) -> None:
    other = Secrets.new(kept.secrets.content.suite, kept.secrets.proof)
    assert _fault(kept, secrets=other).code is FaultCode.WRONG_KEY


def test_the_wrong_key_of_the_figures_is_named_by_them(kept: Backup) -> None:
    other = dataclasses.replace(kept.secrets, proof=ProofKey(kept.secrets.proof.suite, bytes(32)))
    fault = _fault(kept, secrets=other)
    assert fault.code is FaultCode.FIGURES_DIFFER
    assert "root" in fault.names
    assert "rows" not in fault.names


def test_another_escrow_key_is_no_recipient_and_a_forged_envelope_does_not_open(kept: Backup) -> None:
    recipients = kept.manifest["recipients"]
    with pytest.raises(BackupFault) as found:
        open_as_escrow(X25519PrivateKey.generate(), NAME, recipients)
    assert found.value.code is FaultCode.NO_RECIPIENT
    with pytest.raises(BackupFault) as found:  # the envelope of another backup
        open_as_escrow(ESCROW, dataclasses.replace(NAME, number=2), recipients)
    assert found.value.code is FaultCode.WRONG_KEY
    assert open_as_escrow(ESCROW, NAME, recipients).packed() == kept.secrets.packed()


# Manifests ------------------------------------------------------------------------------------------------------------


def _altered(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, list):
        return value[:-1]
    return {name: _altered(each) for name, each in value.items()}


@given(data=st.data())
@ONE_FOLDER
def test_every_change_of_a_manifest_is_a_forgery(whole: Backup, data: st.DataObject) -> None:
    document = copy.deepcopy(whole.document)
    part = document["manifest"]
    while True:
        name = data.draw(st.sampled_from(sorted(part)))
        if not isinstance(part[name], dict) or data.draw(st.booleans()):
            break
        part = part[name]
    part[name] = _altered(part[name])
    with pytest.raises(BackupFault) as found:
        verified(document, public_key=SIGNING.public_key())
    assert found.value.code is FaultCode.MANIFEST_FORGED


def test_a_manifest_that_somebody_else_signed_is_a_forgery(whole: Backup) -> None:
    forged = signed(whole.manifest, key=Ed25519PrivateKey.generate())
    with pytest.raises(BackupFault) as found:
        verified(forged, public_key=SIGNING.public_key())
    assert found.value.code is FaultCode.MANIFEST_FORGED


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "casework-transfer-backup/1"}', '{"manifest": {}}'])
def test_what_is_no_manifest_is_named(text: str) -> None:
    with pytest.raises(BackupFault) as found:
        verified(read_document(text), public_key=SIGNING.public_key())
    assert found.value.code is FaultCode.MANIFEST_UNREADABLE


def test_the_manifest_of_another_backup_is_named(kept: Backup, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    name = dataclasses.replace(NAME, id="tbk_other")
    other = backup(folder, suite=kept.secrets.content.suite, content=records(10), name=name)
    assert _fault(kept, manifest=other.manifest).code is FaultCode.OTHER_BACKUP
    renamed = {**kept.manifest, "id": "tbk_other"}  # whoever signs it: the container is bound to its name
    assert _fault(kept, manifest=renamed).code is FaultCode.WRONG_KEY


# Content --------------------------------------------------------------------------------------------------------------


@given(field=st.sampled_from(["name", "address", "mobile"]), number=st.integers(0, 19))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
def test_one_wrong_cell_is_named_by_its_column(tmp_path: Path, field: str, number: int) -> None:
    content = records(20)
    wrong = content[number].customer
    measured = [*content]
    measured[number] = content[number]._replace(customer=wrong._replace(values={**wrong.values, field: "另"}))
    made = backup(tmp_path, suite=AES_256_GCM, content=content, measured=measured)
    fault = _fault(made)
    assert fault.code is FaultCode.FIGURES_DIFFER
    expected = {"root", f"checksums.{field}"} | ({f"nulls.{field}"} if wrong.values[field] is None else set())
    assert set(fault.names) == expected
    assert "nulls" in made.manifest["figures"]


def test_a_record_less_is_named_and_so_is_one_that_no_book_takes(tmp_path: Path) -> None:
    content = records(12)
    fault = _fault(backup(tmp_path, suite=AES_256_GCM, content=content[:-1], measured=content))
    assert fault.names[:2] == ("rows", "root")
    like_the_third = content[7].customer._replace(values=content[2].customer.values)
    twice = [*content[:7], content[7]._replace(customer=like_the_third)]
    made = backup(tmp_path, suite=AES_256_GCM, content=twice)
    with pytest.raises(BackupFault) as found:  # the number of a customer stands twice: no book takes that
        prove(made.container, made.manifest, made.secrets, scratch=tmp_path)
    assert (found.value.code, found.value.record) == (FaultCode.RECORD_REFUSED, 8)
    nameless = {name: value for name, value in content[4].customer.values.items() if name != "name"}
    lacking = [*content[:4], content[4]._replace(customer=content[4].customer._replace(values=nameless))]
    made = backup(tmp_path, suite=AES_256_GCM, content=lacking)
    with pytest.raises(BackupFault) as found:
        prove(made.container, made.manifest, made.secrets, scratch=tmp_path)
    assert (found.value.code, found.value.record) == (FaultCode.RECORD_REFUSED, 5)


def test_a_fault_says_nothing_of_a_customer_and_travels_as_json() -> None:
    fault = BackupFault(FaultCode.CHUNK_SWAPPED, chunk=3, other=5)
    assert json.loads(json.dumps(fault.as_json())) == {"code": "chunk-swapped", "chunk": 3, "other": 5}
    assert str(fault) == "chunk-swapped, chunk 3, chunk 5 stands there"
    assert set(FIELDS)  # names of figures are names of columns


def test_the_content_comes_back_in_order(kept: Backup) -> None:
    check_container(kept.container, kept.manifest["container"])
    assert [each.customer for each in read_container(kept.container, NAME, kept.secrets)] == [
        each.customer._replace(values={name: value for name, value in each.customer.values.items() if value})
        for each in records()
    ]
