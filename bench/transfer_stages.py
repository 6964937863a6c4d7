"""The stages of a transfer job as a bench calls them: the adapters themselves, without a workflow between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from activities.gateways.messages import Message, MessageGateway, Receipt
from bench.measuring import NOW, Stores
from deploy.demo.transfers.mapping import mapping_text
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep
from models.domain.canonical import digest
from models.domain.notices import NoticeChannel
from models.domain.transfers.mapping import parse_mapping
from models.domain.transfers.states import JobStage, Side
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferSource
from tests.support.training import sponsored

TENANT: Final = "main"
JOB: Final = f"{TENANT}.0123456789abcdefghjkmnpqrs"
_SOURCE: Final = "tsr_0123456789abcdefghjkmnpqrs"
_PLACE: Final = "source.csv"
MAPPING: Final = parse_mapping(mapping_text())
PLAN: Final = {
    "waveRows": 20_000,
    "notice": {"contacts": "95500", "purpose": "管理信用卡账户", "method": "保存、查询", "kinds": "身份信息、联系方式"},
    "notices": {"channels": ["sms"], "quiet_from": "22:00", "quiet_until": "22:00"},
}
Stage = tuple[str, Callable[[], object]]


class Taken(MessageGateway):
    """A provider that takes every message at once: what is measured is our own work."""

    def send(self, message: Message) -> Receipt:
        """Take it."""
        return Receipt(ref=message.id)


@dataclass(frozen=True, slots=True)
class Ports:
    """The adapters of the stages, as far as they are measured here."""

    backup: Any
    collect: Any
    match: Any
    waves: Any
    notices: Any


def open_tenant(stores: Stores) -> None:
    """The institution that receives, with its keys."""
    stores.vault.ensure_tenant(TENANT)
    with stores.data.write() as session:
        session.add(Tenant(code=TENANT, name="-", created_at=NOW))


def open_job(stores: Stores, file: Path) -> Ports:
    """A job that may begin to read a file, with its adapters."""
    from activities.transfers.backup_steps import SqlBackup  # noqa: PLC0415 - `python -m bench` of others stays small
    from activities.transfers.collect_steps import SqlCollect  # noqa: PLC0415
    from activities.transfers.matching import SqlMatch  # noqa: PLC0415
    from activities.transfers.notice_gateways import Carriers  # noqa: PLC0415
    from activities.transfers.notices import SqlNotices  # noqa: PLC0415
    from activities.transfers.sources.desk import Sources  # noqa: PLC0415
    from activities.transfers.waves import SqlWaves  # noqa: PLC0415

    folder = stores.folder / "exchange"
    (folder / TENANT).mkdir(parents=True)
    file.replace(folder / TENANT / _PLACE)
    add_job(stores)
    now = lambda: NOW  # noqa: E731
    return Ports(
        backup=SqlBackup(stores.data, stores.vault, now, stores.folder / "backups"),
        collect=SqlCollect(stores.data, stores.vault, Sources(folder, {}, stores.vault), now),
        match=SqlMatch(stores.data, stores.vault, now),
        waves=SqlWaves(stores.data, stores.vault, now),
        notices=SqlNotices(
            stores.data, stores.vault, Carriers(messages={NoticeChannel.SMS: Taken()}), now, "https://bank.example"
        ),
    )


def add_job(stores: Stores) -> str:
    """A job that may begin to collect, and its source; returns the source's id."""
    mapping = MAPPING.as_document()
    job = TransferJob(
        token=JOB,
        tenant=TENANT,
        branch="hq",
        classes=["C"],
        plan=PLAN,
        plan_hash="0" * 64,
        stage=JobStage.COLLECTING.value,
        created_by="-",
        created_by_person="-",
        created_at=NOW,
        updated_at=NOW,
    )
    source = TransferSource(
        id=_SOURCE, tenant=TENANT, job=JOB, number=1, kind="csv", place=_PLACE, mapping=mapping,
        mapping_hash=digest(mapping),
    )  # fmt: skip
    with stores.data.write() as session:
        session.add(job)
        session.flush()
        sponsored(session, JOB, tenant=TENANT)
        session.add(source)
    return _SOURCE


def stages(ports: Ports) -> Iterator[Stage]:
    """Every stage from the first byte that is read to the last notice, in order: name and what it does."""
    yield "collect", lambda: _walk(ports.collect.collect)
    yield "verify", lambda: _walk(ports.collect.verify_rows)
    yield "tokens of the file", lambda: _walk(ports.match.make_tokens, side=Side.SOURCE)
    yield "tokens of the book", lambda: _walk(ports.match.make_tokens, side=Side.TARGET)
    yield "match", lambda: _walk(ports.match.match)
    yield "move in waves", lambda: _move(ports.waves)
    yield "reconcile", lambda: ports.waves.reconcile(JobStep(job=JOB))
    yield "plan notices", lambda: _walk(ports.notices.plan_notices)
    yield "hand over notices", lambda: _walk(ports.notices.send_notices)


def back_up(ports: Ports) -> Iterator[Stage]:
    """A backup of the acquirer's book and its proof, before anything is read."""
    step = ChunkStep(job=JOB, side=Side.TARGET)
    yield "back up", lambda: ports.backup.snapshot(step)
    yield "prove the backup by restoring", lambda: ports.backup.prove_backup(step)


def _walk(step: Callable[[ChunkStep], ChunkDone], **given: Any) -> None:
    """As a workflow repeats a step until it is done.

    Raises:
        RuntimeError: it stopped by itself.
    """
    after: str | None = ""
    while after is not None:
        done = step(ChunkStep(job=JOB, after=after, **given))
        if done.stopped is not None or done.paused:
            raise RuntimeError(f"stopped: {done.stopped or 'paused'}")
        after = done.after


def _move(waves: Any) -> None:
    planned = waves.plan_waves(JobStep(job=JOB)).waves
    for number in range(1, planned + 1):
        step = ChunkStep(job=JOB, wave=number, attempt=1)
        waves.begin_wave(step)
        _walk(waves.move_rows, wave=number, attempt=1)
        waves.end_wave(step)
