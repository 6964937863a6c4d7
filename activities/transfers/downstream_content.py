"""What goes downstream: the changed records of a part as CSV, Parquet or JSON, pseudonymous or sealed; never in clear.

A clear part exists in memory only, and only on its way into the seal.
"""

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.domain.customers.record import CLEAR_FIELDS, FIELDS
from models.domain.spreadsheets import neutral
from models.domain.transfers.consumers import Consumer, ConsumerForm, ConsumerKind

COLUMNS: Final = ("record", "change", "version", "at", *FIELDS)
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_TOKEN_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record as the job left it."""

    record: str
    change: str
    version: int
    at: datetime
    values: Mapping[str, str | None]

    def __repr__(self) -> str:
        return f"ChangedRecord(record={self.record!r})"


def consumer_key(vault: Vault, *, tenant: str, consumer: str) -> bytes:
    """What a consumer's tokens are made with: its own, so that two consumers cannot join what they were given."""
    branch = vault.purpose_key(tenant, Purpose.FINGERPRINT)
    return hmac.digest(branch, framed("casework.downstream", tenant, consumer), hashlib.sha256)


def content_of(consumer: Consumer, records: Sequence[ChangedRecord], *, key: bytes, name: str) -> bytes:
    """The bytes of a part. `name` is the part's own; what is sealed opens under no other.

    In CSV a text that a spreadsheet could run has an apostrophe before it (`models.domain.spreadsheets`).

    A pseudonymous part is the same bytes whenever it is made; a sealed one is not, and says the same.
    """
    if consumer.form is ConsumerForm.PSEUDONYMOUS:
        return _spelt(consumer.kind, [_pseudonymous(each, key) for each in records])
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(str(consumer.public_key)))
    return _SUITE.encrypt(_spelt(consumer.kind, [_clear(each) for each in records]), public, info=framed(name))


def _clear(changed: ChangedRecord) -> dict[str, str | None]:
    return {**_about(changed, changed.record), **{name: changed.values.get(name) for name in FIELDS}}


def _pseudonymous(changed: ChangedRecord, key: bytes) -> dict[str, str | None]:
    values = {
        name: value if value is None or name in CLEAR_FIELDS else _token(key, name, value)
        for name, value in ((name, changed.values.get(name)) for name in FIELDS)
    }
    return {**_about(changed, _token(key, "record", changed.record)), **values}


def _about(changed: ChangedRecord, record: str) -> dict[str, str | None]:
    return {
        "record": record,
        "change": changed.change,
        "version": str(changed.version),
        "at": changed.at.isoformat(),
    }


def _token(key: bytes, name: str, value: str) -> str:
    return hmac.digest(key, framed(name, value), hashlib.sha256)[:_TOKEN_BYTES].hex()


def _spelt(kind: ConsumerKind, rows: Sequence[Mapping[str, str | None]]) -> bytes:
    match kind:
        case ConsumerKind.CSV:
            return _csv(rows)
        case ConsumerKind.PARQUET:
            return _parquet(rows)
        case ConsumerKind.HOOK:
            lines: list[dict[str, Any]] = [{k: v for k, v in row.items() if v is not None} for row in rows]
            return json.dumps({"records": lines}, ensure_ascii=False, separators=(",", ":")).encode()


def _csv(rows: Sequence[Mapping[str, str | None]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: neutral(v) if v is not None else None for k, v in row.items()} for row in rows)
    return text.getvalue().encode()


def _parquet(rows: Sequence[Mapping[str, str | None]]) -> bytes:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink, compression="zstd")
    return sink.getvalue()
