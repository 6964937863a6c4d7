"""Makes `golden_forms.json` anew: `python -m tests.compliance.vault.make_golden_forms`. Only for a new format.

What stands in the file is never changed: an example of a new form is added, and every old one must still open.
"""

import asyncio
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

from temporalio.api.common.v1 import Payload

from compliance.payloads.codec import SealingCodec
from compliance.vault import blind, cells, files
from compliance.vault.blind import BlindField
from compliance.vault.cells import CellAddress, SubjectKeyAddress
from compliance.vault.files import FileAddress
from compliance.vault.suites import AES_256_GCM, SM4_GCM, SealingKey, Suite

TARGET = Path(__file__).with_name("golden_forms.json")
NAMESPACE, WORKFLOW = "casework", "installments/acme.0123456789abcdefghjkmnpqrs"
CELL = CellAddress(
    "acme", "subjects", "name_cell", "sub_0123456789abcdefghjkmnpqrs", "sub_0123456789abcdefghjkmnpqrs", 1
)
PACK = CellAddress("acme", "subjects", "packed_cell", CELL.row, CELL.subject, 3)
FILE = FileAddress("acme", CELL.subject, "doc_0123456789abcdefghjkmnpqrs")


class OneKey:
    """What the codec asks of the vault, with one key."""

    def __init__(self, key: SealingKey) -> None:
        self._key = key

    def workflow_sealer_in_memory(self, **_: object) -> SealingKey:
        return self._key


def codec(key: SealingKey) -> SealingCodec:
    """The codec of `WORKFLOW` under this key."""
    return SealingCodec(OneKey(key), namespace=NAMESPACE, workflow_id=WORKFLOW)  # type: ignore[arg-type]


def examples(suite: Suite) -> Iterator[dict[str, Any]]:
    """One of each form under the suite, with a key and randomness that anybody can see."""
    secret = bytes(range(suite.key_bytes))
    key = SealingKey(suite, secret, version=258)
    common = {"suite": suite.id, "key": secret.hex(), "key_version": key.version}

    def example(form: str, **fields: Any) -> dict[str, Any]:
        return {"form": form, **common, **fields}

    with mock.patch.object(os, "urandom", lambda count: bytes(range(200, 200 + count))):
        value = "王小明"
        yield example("cell", address=asdict(CELL), value=value, sealed=cells.seal_cell(key, CELL, value).hex())
        packed = {"employer": "某某公司", "address": "某某路 1 号", "note": ""}
        sealed = cells.seal_packed(key, PACK, {name: text.encode() for name, text in packed.items()})
        yield example("packed", address=asdict(PACK), value=packed, sealed=sealed.hex())
        wrapped_secret = bytes(range(100, 100 + suite.key_bytes))
        address = SubjectKeyAddress(
            tenant="acme", subject=CELL.subject, version=1, suite=suite.id, branch_version=key.version
        )
        commitment = cells.commitment(SealingKey(suite, wrapped_secret, version=1), tenant="acme", subject=CELL.subject)
        yield example(
            "wrapped key", address=asdict(address), value=wrapped_secret.hex(), commitment=commitment.hex(),
            sealed=cells.wrap_subject_key(key, address, wrapped_secret).hex(),
        )  # fmt: skip
        yield example("file", address=asdict(FILE), value="证据", sealed=seal_file(key, "证据".encode()).hex())
        plain = Payload(metadata={"encoding": b"json/plain"}, data=b'{"amount_minor":120000}')
        [payload] = asyncio.run(codec(key).encode([plain]))
        yield example(
            "payload", address={"namespace": NAMESPACE, "workflow_id": WORKFLOW}, value=plain.data.decode(),
            sealed=payload.data.hex(),
        )  # fmt: skip
        for bits in (256, 18):
            token = blind.blind_index(key, field=BlindField.MOBILE, value="138-0013-8000", bits=bits)
            yield example(
                "blind index", address={"field": "mobile", "bits": bits}, value="13800138000", sealed=token.hex()
            )


def seal_file(key: SealingKey, content: bytes) -> bytes:
    """The bytes of a sealed file."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "doc"
        files.seal_file(key, FILE, io.BytesIO(content), target)
        return target.read_bytes()


def main() -> None:
    """Write the file."""
    document = {
        "description": "Every sealed form under every suite. Never change an entry; a new format adds one.",
        "examples": [example for suite in (AES_256_GCM, SM4_GCM) for example in examples(suite)],
    }
    TARGET.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
