"""Whoever is shown what a transfer job, the book or a change request holds of a person leaves an event, without it.

Every route that answers a GET under these paths is asked, with ids that are known; what the record vault opens for an
answer must be followed by an event of who asked.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlmodel import col, select

from api.identity.authenticate import served_handlers
from compliance.vault.records import Record, RecordVault, SealedRecord
from models.database.engine import Database
from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from models.tables.transfer_waves import TransferConflict
from tests.support.api import Office
from tests.support.linkage_sets import Books, Maker
from tests.support.training import train
from tests.support.transfer_matching import BRANCH, Matching
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons

WATCHED = ("/v1/transfers", "/v1/customers", "/v1/change-requests")
# What opens something in these walks; a new one shows itself below.
OPENING = {
    "/v1/transfers/{job:str}/rows",
    "/v1/transfers/{job:str}/rows/{number:int}",
    "/v1/transfers/{job:str}/conflicts/{conflict_id:str}",
    "/v1/transfers/{job:str}/records/{record:str}/changes",
    "/v1/customers/{customer_id:str}",
}
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


class Walk:
    """Requests of one person, and what each of them opened and recorded."""

    def __init__(self, office: Office, by: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office, self.by = office, by
        self.opened: list[str] = []
        self.opening: set[str] = set()
        self.touched: set[str] = set()  # routes in which anything was opened, even if nothing was shown
        real = RecordVault.open

        def watched(vault: RecordVault, sealed: Iterable[SealedRecord]) -> Iterator[Record]:
            for record in real(vault, sealed):
                self.opened += [str(value) for value in record.values.values() if value]
                yield record

        monkeypatch.setattr(RecordVault, "open", watched)

    async def __call__(self, values: dict[str, str]) -> None:
        """Ask every route for which all ids are known."""
        for path, method, handler in served_handlers(self.office.app):
            if handler.media_type == "text/event-stream":
                continue  # figures only, and it goes on for as long as the job does
            wanted = set(_PARAMETER.findall(path))
            if method == "GET" and path.startswith(WATCHED) and wanted <= values.keys():
                await self._ask(path, _PARAMETER.sub(lambda found: values[found.group(1)], path))

    async def _ask(self, route: str, path: str) -> None:
        before = {event.id for event in self._events()}
        self.opened.clear()
        self.office.clock.advance(seconds=1)
        async with self.office.client(self.by) as client:
            answer = await client.get(path)
        if self.opened:
            self.touched.add(route)
        if not self.opened or answer.status_code >= 400:
            return
        self.opening.add(route)
        mine = [event for event in self._events() if event.id not in before and event.actor == self.by.id]
        assert mine, f"{route} shows what it has opened, and nobody is told"
        for value in self.opened:
            assert len(value) < 4 or not any(value in event.body for event in mine), route
            # What is masked shows no number and no name whole.
            assert len(value) < 11 or not value.isascii() or not value.strip("+").isdigit() or value not in answer.text

    def _events(self) -> list[AuditEvent]:
        with self.office.deps.database.read() as session:
            return list(session.exec(select(AuditEvent).where(col(AuditEvent.actor) == self.by.id)).all())


@pytest.mark.parametrize("is_trained", [True, False], ids=["trained", "untrained"])
async def test_rows_conflicts_changes_and_records_are_shown_with_an_event_to_who_is_trained(
    sqlite_office: Office, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, is_trained: bool
) -> None:
    waves = WaveOffice(sqlite_database, sqlite_office.deps.vault, sqlite_office.clock)
    waves.open()
    [theirs, plain] = persons(2, prefix="T")
    [record, other] = waves.book([theirs, plain])
    changes = [theirs | {"mobile": "+8613900000000"}, plain | {"occupation": "会计"}]
    waves.rows(changes, into={0: record, 1: other})
    waves.plan_waves()
    waves.run(1)
    with sqlite_database.read() as session:
        conflict = session.exec(select(TransferConflict.id)).one()
    reader = sqlite_office.staff("reader", Role.OPERATOR, Role.CASE_OFFICER, tenant=TENANT)
    if is_trained:
        train(sqlite_database, JOB, reader.id, tenant=TENANT)
    walk = Walk(sqlite_office, reader, monkeypatch)
    await walk({"job": JOB, "number": "1", "conflict_id": conflict, "record": other, "customer_id": record})
    # Of a job nothing is even opened without training; the book is the institution's own.
    assert walk.touched == walk.opening == (OPENING if is_trained else {"/v1/customers/{customer_id:str}"})


async def test_a_pair_is_shown_with_an_event(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Maker(61).person()
    alone: Any = {**person, "id_number": None, "mobile": None, "email": None, "account": None}
    deps = sqlite_office.deps
    case = Matching(deps.database, deps.vault, deps.clock)
    case.open(Books(source=[alone], target=[person]), tenant=False).run()
    reader = sqlite_office.staff("reader", Role.OPERATOR, branch=BRANCH)
    train(deps.database, case.job, reader.id)
    walk = Walk(sqlite_office, reader, monkeypatch)
    await walk({"job": case.job, "pair_id": case.pair(1).id})
    assert "/v1/transfers/{job:str}/matches/{pair_id:str}" in walk.opening
