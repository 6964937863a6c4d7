"""Handing changed records on to what lies downstream (下游同步), each exactly once for each consumer.

Which rows a part holds, and its name, are fixed in SQL before its first byte: a part that is made again has the same
name and takes the place of the one before, and a hook knows it by its key. What was handed stands on record. Files go
into the exchange folder, which lies outside the data directory.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from sqlalchemy import select
from sqlmodel import Session, col

from activities.transfers.downstream_content import ChangedRecord, consumer_key, content_of
from activities.transfers.wave_work import WaveWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.kek import sync_folder
from models.domain.tokens import named_token
from models.domain.transfers.consumers import Consumer, ConsumerForm, ConsumerKind, consumers_of
from models.domain.transfers.images import columns_of
from models.domain.transfers.states import WaveState
from models.errors import GatewayRefused, GatewayUnavailable, SubjectShredded
from models.operations.transfers.wave_moves import CHANGES, WaveAt
from models.queries.transfers.waves import list_waves
from models.tables.transfer_waves import TransferHandover
from models.tables.transfers import TransferWave

PART: Final = 500
FIXED: Final = "fixed"
HANDED: Final = "handed"
_TELLS: Final = "tells"
_ERASURES: Final = "erasures"
_HOOK_TIMEOUT: Final = httpx.Timeout(8)
_CLIENT_ERRORS: Final = range(400, 500)
_TRY_AGAIN: Final = frozenset({401, 403, 404, 408, 425, 429})
_TAKEN_BEFORE: Final = 409


class Hook(Protocol):
    """How a part is handed to a hook."""

    def __call__(self, url: str, content: bytes, *, key: str, media_type: str) -> int:
        """Post it and give the status of the answer; a repeated key is taken once.

        Raises:
            GatewayUnavailable: there was no answer.
        """


def post(url: str, content: bytes, *, key: str, media_type: str) -> int:
    """Over HTTP; redirects are not followed, and proxies of the environment not used."""
    headers = {"Idempotency-Key": key, "Content-Type": media_type}
    try:
        with httpx.Client(timeout=_HOOK_TIMEOUT, trust_env=False, follow_redirects=False) as client:
            return client.post(url, content=content, headers=headers).status_code
    except httpx.HTTPError as error:  # its own words may quote what was sent
        raise GatewayUnavailable(detail=f"hook: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class Downstream:
    """Where parts go: the folder for files, and how hooks are reached."""

    folder: Path
    hook: Hook = post


def hand_wave(work: WaveWork, downstream: Downstream, wave: TransferWave) -> None:
    """Hand what a wave changed to every consumer of the plan; what was handed is not handed again.

    Raises:
        GatewayUnavailable: a hook did not answer; the next try goes on there.
    """
    if wave.state != WaveState.MOVED:
        return
    for consumer in consumers_of(work.job.plan):
        _fix(work, wave, consumer)
        for part in _open_parts(work, wave, consumer):
            records = _records(work, part)
            _note_rows(work, consumer, part, [row for row, _ in records])
            hand_part(work, downstream, consumer, part, records)
            work.rest()


def waves_to_hand(work: WaveWork, *, after: int) -> list[TransferWave]:
    """Waves behind a number, in order."""
    with work.database.read() as session:
        return [wave for wave in list_waves(session, work.job.token) if wave.number > after]


def _fix(work: WaveWork, wave: TransferWave, consumer: Consumer) -> None:
    """Cut what a wave changed into parts, once for each consumer."""
    now = work.clock()
    deed = work.deed("transfer.handover-fixed", now, wave=wave.number, attempt=wave.attempt, consumer=consumer.name)
    with unit_of_work(work.database, deed) as unit:
        held = unit.session.get_one(TransferWave, (wave.job, wave.number), with_for_update=True, populate_existing=True)
        if held.state != WaveState.MOVED or held.attempt != wave.attempt or _is_fixed(unit.session, wave, consumer):
            raise Unchanged
        numbers = _changed_rows(unit.session, wave)
        parts = [numbers[first : first + PART] for first in range(0, len(numbers), PART)]
        unit.session.add_all(
            new_part(work, work.at(wave.number, wave.attempt), consumer, number, rows)
            for number, rows in enumerate(parts, start=1)
        )
        unit.session.flush()
        if not parts:
            raise Unchanged
        deed.facts |= {"parts": len(parts), "records": len(numbers)}


def new_part(
    work: WaveWork,
    at: WaveAt,
    consumer: Consumer,
    number: int,
    rows: list[int],
    *,
    reversal: bool = False,
    erasure: bool = False,
) -> TransferHandover:
    """A part that is fixed; of a reversal, or of erasures, its rows are fixed as well, in their order."""
    key = f"{at.job}/{at.wave}/{at.attempt}/{consumer.name}/{number}"
    suffix = ".hpke" if consumer.form is ConsumerForm.SEALED else ""
    what = "-erasure" if erasure else "-reversal" if reversal else ""
    name = f"wave-{at.wave:04d}-{at.attempt}-{number:04d}{what}.{consumer.kind.value}{suffix}"
    return TransferHandover(
        id=named_token("tho", key),
        tenant=work.tenant,
        job=at.job,
        wave=at.wave,
        attempt=at.attempt,
        consumer=consumer.name,
        number=number,
        kind=consumer.kind.value,
        first=min(rows),
        last=max(rows),
        records=len(rows),
        state=FIXED,
        place=({} if consumer.kind is ConsumerKind.HOOK else {"file": f"{at.job}/{consumer.name}/{name}"})
        | ({_TELLS: _ERASURES} if erasure else {}),
        fixed_at=work.clock(),
        rows=rows if reversal or erasure else None,
        reversal=reversal or erasure,
    )


def tells_of_erasures(part: TransferHandover) -> bool:
    """Whether a part takes nothing back but says who was erased."""
    return part.place.get(_TELLS) == _ERASURES


def _of_wave(wave: TransferWave, consumer: Consumer) -> tuple[Any, ...]:
    return (
        col(TransferHandover.job) == wave.job,
        col(TransferHandover.wave) == wave.number,
        col(TransferHandover.attempt) == wave.attempt,
        col(TransferHandover.consumer) == consumer.name,
    )


def _parts(session: Session, wave: TransferWave, consumer: Consumer) -> list[TransferHandover]:
    statement = select(TransferHandover).where(*_of_wave(wave, consumer)).order_by(col(TransferHandover.number))
    return list(session.execute(statement).scalars())


def _is_fixed(session: Session, wave: TransferWave, consumer: Consumer) -> bool:
    return bool(_parts(session, wave, consumer))


def _open_parts(work: WaveWork, wave: TransferWave, consumer: Consumer) -> list[TransferHandover]:
    with work.database.read() as session:
        return [part for part in _parts(session, wave, consumer) if part.state == FIXED and not part.reversal]


def _standing(wave: TransferWave | TransferHandover, number: int) -> tuple[Any, ...]:
    """Lines that changed something and were not undone."""
    return (
        CHANGES.c.job == wave.job,
        CHANGES.c.wave == number,
        CHANGES.c.attempt == wave.attempt,
        CHANGES.c.undone_at.is_(None),
        (CHANGES.c.version_before.is_(None)) | (CHANGES.c.version_before != CHANGES.c.version_after),
    )


def _changed_rows(session: Session, wave: TransferWave) -> list[int]:
    statement = select(CHANGES.c.row_number).where(*_standing(wave, wave.number)).order_by(CHANGES.c.row_number)
    return list(session.execute(statement).scalars())


def _note_rows(work: WaveWork, consumer: Consumer, part: TransferHandover, rows: list[int]) -> None:
    """What a part is about to hold, before its first byte: should any of it be undone, this is what is taken back."""
    deed = work.deed(
        "transfer.handover-begun",
        work.clock(),
        wave=part.wave,
        attempt=part.attempt,
        consumer=consumer.name,
        part=part.number,
    )
    with unit_of_work(work.database, deed) as unit:
        held = unit.session.get_one(TransferHandover, part.id, with_for_update=True, populate_existing=True)
        if held.state != FIXED or held.rows is not None:
            raise Unchanged  # an earlier try may have got further: what it told is what counts
        held.rows = rows
        unit.session.add(held)
        deed.facts["records"] = len(rows)


def hand_part(
    work: WaveWork,
    downstream: Downstream,
    consumer: Consumer,
    part: TransferHandover,
    found: list[tuple[int, ChangedRecord]],
) -> None:
    """Hand one part over, and note that it was.

    Raises:
        GatewayUnavailable: a hook did not answer; the next try hands the same part under the same key.
    """
    records = [record for _, record in found]
    key = consumer_key(work.vault, tenant=work.tenant, consumer=consumer.name)
    content = content_of(consumer, records, key=key, name=part.id)
    answer: dict[str, Any] = {}
    if consumer.kind is ConsumerKind.HOOK:
        answer = _posted(downstream, consumer, part, content)
    else:
        _write(downstream.folder / part.place["file"], content)
    digest, now = hashlib.sha256(content).hexdigest(), work.clock()
    deed = work.deed(
        "transfer.handed-over",
        now,
        wave=part.wave,
        attempt=part.attempt,
        consumer=consumer.name,
        part=part.number,
        records=len(records),
        digest=digest,
        **({"reversal": True} if part.reversal else {}),
    )
    with unit_of_work(work.database, deed) as unit:
        held = unit.session.get_one(TransferHandover, part.id, with_for_update=True, populate_existing=True)
        if held.state != FIXED:
            raise Unchanged
        held.state, held.digest, held.handed_at, held.records = HANDED, digest, now, len(records)
        held.place = held.place | answer
        unit.session.add(held)


def _records(work: WaveWork, part: TransferHandover) -> list[tuple[int, ChangedRecord]]:
    """The records of a part as the job left them, by row; who was erased meanwhile is left out."""
    columns = (CHANGES.c.record_id, CHANGES.c.kind, CHANGES.c.version_after, CHANGES.c.at, CHANGES.c.after_image)
    statement = (
        select(*columns, CHANGES.c.row_number)
        .where(*_standing(part, part.wave), CHANGES.c.row_number.between(part.first, part.last))
        .order_by(CHANGES.c.row_number)
    )
    with work.database.read() as session:
        lines = session.execute(statement).all()
    images = [stored_of(columns_of(line[4])) for line in lines]
    try:
        opened = [each.values for each in open_customers(work.vault, tenant=work.tenant, stored=images)]
    except SubjectShredded:
        return [record for line in lines for record in _one(work, line)]
    return [
        (number, ChangedRecord(record, kind, version, at, values))
        for (record, kind, version, at, _, number), values in zip(lines, opened, strict=True)
    ]


def _one(work: WaveWork, line: Any) -> list[tuple[int, ChangedRecord]]:
    record, kind, version, at, image, number = line
    try:
        [customer] = open_customers(work.vault, tenant=work.tenant, stored=[stored_of(columns_of(image))])
    except SubjectShredded:
        return []
    return [(number, ChangedRecord(record, kind, version, at, customer.values))]


def _posted(downstream: Downstream, consumer: Consumer, part: TransferHandover, content: bytes) -> dict[str, Any]:
    media_type = "application/octet-stream" if consumer.form is ConsumerForm.SEALED else "application/json"
    status = downstream.hook(str(consumer.url), content, key=part.id, media_type=media_type)
    if httpx.codes.is_success(status) or status == _TAKEN_BEFORE:
        return {"status": status}
    if status in _CLIENT_ERRORS and status not in _TRY_AGAIN:
        raise GatewayRefused(detail=f"hook {consumer.name}: status {status}", params={"reason": f"http-{status}"})
    raise GatewayUnavailable(detail=f"hook {consumer.name}: status {status}")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; only the owner reads it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
