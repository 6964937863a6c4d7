"""Held rows as records of quarantine (隔离记录): line, field, rule, masked value; what is to be sealed, apart."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compliance.vault.record_masking import blurred
from models.domain.batches.files.rows import HeldRow
from models.domain.customers.faults import ROW


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineRecord:
    """One broken rule of one held line. Everything in it may be shown and kept in clear.

    Attributes:
        masked: what the field holds, blurred: of a value that breaks its rule no shape is left to trust.
    """

    line: int
    field: str
    rule: str
    masked: str | None
    params: Mapping[str, str | int]


def records_of(held: HeldRow) -> Iterator[QuarantineRecord]:
    """A record for each fault of a row, warnings too."""
    for fault in held.faults:
        text = held.texts.get(fault.field) if fault.field != ROW else None
        yield QuarantineRecord(
            line=held.line,
            field=fault.field,
            rule=fault.rule,
            masked=blurred(text) if text else None,
            params=dict(fault.params),
        )


def original_of(held: HeldRow) -> bytes:
    """The line as it was read, UTF-8: **in clear**, for the caller to seal before it is kept anywhere."""
    document = {"line": held.line, "texts": dict(held.texts), "cells": list(held.cells), "original": held.original}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def texts_of(original: bytes) -> dict[str, str]:
    """The texts by field that `original_of` kept: what a person corrects, and `RowChecker` checks again."""
    texts: dict[str, str] = json.loads(original)["texts"]
    return texts
