"""Bytes that were written once are readable for ever: each sealed form, under each suite, as it was frozen."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from compliance.payloads.codec import ENCODING
from compliance.vault import blind, cells, files
from compliance.vault.blind import BlindField
from compliance.vault.cells import CellAddress, SubjectKeyAddress
from compliance.vault.files import FileAddress
from compliance.vault.suites import SUITES, SealingKey, suite_of
from tests.compliance.vault.make_golden_forms import codec, examples

GOLDEN = Path(__file__).with_name("golden_forms.json")
EXAMPLES: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["examples"]


# Of three chunks, AES and SM4.
FROZEN_DIGESTS = [
    "a0ecd7711da9751d928bf3cfeeff7764b0a962f5ef5b6b6ca0eda80a63e97162",
    "86b55cdbb5835ed51196860a6fd06cfcfc236dc4186404d52d0c0cba217d6cde",
]


def _of(form: str) -> Any:
    chosen = [example for example in EXAMPLES if example["form"] == form]
    assert {example["suite"] for example in chosen} == set(SUITES)
    return pytest.mark.parametrize("example", chosen, ids=lambda example: suite_of(example["suite"]).code)


def _key(example: dict[str, Any]) -> SealingKey:
    return SealingKey(suite_of(example["suite"]), bytes.fromhex(example["key"]), version=example["key_version"])


@_of("cell")
def test_cells(example: dict[str, Any]) -> None:
    address = CellAddress(**example["address"])
    assert cells.open_cell(_key(example), address, bytes.fromhex(example["sealed"])).decode() == example["value"]


@_of("packed")
def test_packed_records(example: dict[str, Any]) -> None:
    address = CellAddress(**example["address"])
    opened = cells.open_packed(_key(example), address, bytes.fromhex(example["sealed"]))
    assert {name: value.decode() for name, value in opened.items()} == example["value"]


@_of("wrapped key")
def test_wrapped_keys(example: dict[str, Any]) -> None:
    address = SubjectKeyAddress(**example["address"])
    secret = cells.unwrap_subject_key(_key(example), address, bytes.fromhex(example["sealed"]))
    assert secret.hex() == example["value"]
    key = SealingKey(suite_of(address.suite), secret, version=address.version)
    commitment = cells.commitment(key, tenant=address.tenant, subject=address.subject)
    assert commitment.hex() == example["commitment"]


@_of("file")
def test_files(example: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "doc"
    path.write_bytes(bytes.fromhex(example["sealed"]))
    pieces = files.open_file(_key(example), FileAddress(**example["address"]), path)
    assert b"".join(pieces).decode() == example["value"]


@_of("payload")
async def test_payloads(example: dict[str, Any]) -> None:
    version = str(example["key_version"]).encode()
    sealed = Payload(metadata={"encoding": ENCODING, "key-version": version}, data=bytes.fromhex(example["sealed"]))
    [opened] = await codec(_key(example)).decode([sealed])
    assert opened.data.decode() == example["value"]


@_of("blind index")
def test_blind_indexes(example: dict[str, Any]) -> None:
    field, bits = BlindField(example["address"]["field"]), example["address"]["bits"]
    token = blind.blind_index(_key(example), field=field, value=example["value"], bits=bits)
    assert token.hex() == example["sealed"]


@pytest.mark.parametrize("suite_id", sorted(SUITES))
def test_what_is_written_today_is_what_was_frozen(suite_id: int) -> None:
    frozen = [example for example in EXAMPLES if example["suite"] == suite_id]
    assert list(examples(suite_of(suite_id))) == frozen


def test_a_file_of_many_chunks_has_the_frozen_form(tmp_path: Path) -> None:
    """The golden file is short; what follows its first chunk is held by its digest."""
    import hashlib
    import os
    from unittest import mock

    content = bytes(range(256)) * 600
    digests = []
    for suite in SUITES.values():
        key = SealingKey(suite, bytes(range(suite.key_bytes)), version=1)
        address = FileAddress("acme", "sub_a", "doc_1")
        with mock.patch.object(os, "urandom", lambda count: bytes(range(count))):
            files.seal_file(key, address, io.BytesIO(content), tmp_path / "doc")
        assert b"".join(files.open_file(key, address, tmp_path / "doc")) == content
        digests.append(hashlib.sha256((tmp_path / "doc").read_bytes()).hexdigest())
    assert digests == FROZEN_DIGESTS
