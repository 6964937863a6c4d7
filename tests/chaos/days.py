"""Business dates of a running stack while its processes are killed: agreements in service, and their bank."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import httpx

from activities.gateways.bank.folder import BankFolders
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from deploy.clock import wall_clock
from deploy.demo.mock_bank import Fate, MockBank, running_mock_bank
from deploy.demo.stack import start_stack
from deploy.settings import load_settings
from deploy.stores import build_vault, open_stores
from deploy.temporal_server import free_port
from deploy.values import DataDir
from models.domain.daily import REMIND_DAYS
from models.domain.schedules.rows import Row
from models.domain.tokens import new_token
from models.tables.agreements import Agreement
from models.tables.parties import ContactPoint
from models.tables.tenants import Tenant
from tests.chaos.siege import Siege
from tests.support.clock import FakeClock
from tests.support.daybook import ONE_DAY, TENANT, Daybook
from tests.support.processes import wait_until

DATES = "/v1/business-dates"
ROWS = 2
PATIENCE_SECONDS = 180.0  # a busy machine
_LAIN_SECONDS = 60  # older than the time for which a file must have lain still
_LONGEST_WAIT_SECONDS = 0.6  # from the start of a run to the blow: runs with work in them last longer


@dataclass(slots=True)
class DaySiege(Siege):
    """A stack, its bank, and the book of its agreements, which is read beside it.

    Attributes:
        hit: at each blow, the step of the run that was under way; `none` where it was over already.
        asked: how often runs were asked for, by the last date; a second time only where a run did not go on by itself.
    """

    book: Daybook = None  # type: ignore[assignment]
    bank: MockBank = None  # type: ignore[assignment]
    rng: Random = field(default_factory=Random)
    hit: list[tuple[str, str]] = field(default_factory=list)
    asked: dict[date, int] = field(default_factory=dict)
    token: str = ""

    def up(self) -> None:
        """Start the stack at its address."""
        self.stack = start_stack(self.data.root, port=self.port, sandbox=True)

    def pass_until(self, last: date, *, target: str | None = None) -> None:
        """Have all dates up to `last` run while the bank keeps step; one blow falls on the way if a target is named.

        Raises:
            AssertionError: the runs did not come to their end.
        """
        self.bank.advance_to(last)
        self._deliver()
        self._ask(last)
        if target is not None:
            self._strike(target)
        try:
            wait_until(lambda: self.book.today() > last, seconds=PATIENCE_SECONDS)
        except AssertionError:
            self._ask(last)
            wait_until(lambda: self.book.today() > last, seconds=PATIENCE_SECONDS)
        self.bank.take_files()
        self._deliver()

    def get(self, path: str) -> httpx.Response:
        """As an operator."""
        return self._call("GET", path)

    def _ask(self, last: date) -> None:
        self.asked[last] = self.asked.get(last, 0) + 1
        answer = self._call("POST", DATES, json={"until": last.isoformat()}, key=f"until-{last}")
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    def _call(self, method: str, path: str, *, json: object = None, key: str | None = None) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(httpx.TransportError), self._client() as client:
                if not self.token:
                    self.token = self._log_in(client)
                headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
                answer = client.request(method, path, json=json, headers=headers)
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    self.token = self._log_in(client)
                elif answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer
            assert time.monotonic() < deadline, "the API did not answer"
            time.sleep(0.05)

    def _client(self) -> httpx.Client:
        assert self.stack is not None
        return httpx.Client(base_url=self.stack.address, timeout=30, trust_env=False)

    def _log_in(self, client: httpx.Client) -> str:
        assert self.stack is not None
        known = json.loads(self.stack.login_file.read_text())
        body = {"tenant": known["tenant"], "login": "dev.operator", "password": known["password"]}
        answer = client.post("/v1/sessions", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["accessToken"])

    # -- blows

    def _strike(self, target: str) -> None:
        """Kill while a run is under way, as far as chance will have it."""
        assert self.stack is not None
        wait_until(lambda: self.step_under_way() != "none", seconds=PATIENCE_SECONDS)
        time.sleep(self.rng.random() * _LONGEST_WAIT_SECONDS)
        self.hit.append((target, self.step_under_way()))
        begun = time.monotonic()
        if target == "up":
            os.kill(self.stack.process.pid, signal.SIGKILL)
            self.stack.kill()
            wait_until(self.nothing_is_left, seconds=5)
            self.up()
        else:
            old = self.child(target)
            os.kill(old, signal.SIGKILL)
            wait_until(lambda: self.has_child_other_than(old, target), seconds=30)
        wait_until(self._is_ready, seconds=PATIENCE_SECONDS)
        self.back_after.append(time.monotonic() - begun)

    def _is_ready(self) -> bool:
        with suppress(httpx.TransportError), self._client() as client:
            return client.get("/readyz").status_code == httpx.codes.OK
        return False

    def step_under_way(self) -> str:
        """The step that the open run has begun last; `none` while no run is open."""
        with closing(sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True)) as store:
            row = store.execute("SELECT figures FROM daily_runs WHERE state = 'RUNNING'").fetchone()
        if row is None:
            return "none"
        steps = [name for name in json.loads(row[0]) if name != "finished"]
        return steps[-1] if steps else "begin"

    def _deliver(self) -> None:
        """What the bank put into the inbox is complete, and has lain long enough."""
        for path in self.book.folders.inbox.iterdir():
            written = path.stat().st_mtime
            os.utime(path, (written - _LAIN_SECONDS, written - _LAIN_SECONDS))


@contextmanager
def besieged_days(folder: Path, *, agreements: int, seed: int) -> Iterator[DaySiege]:
    """An installation with agreements in service, its stack running; gone with the block.

    Each agreement has rows a week apart, so that each weekday of two weeks has debits.
    """
    siege = DaySiege(DataDir(folder / "data"), port=free_port(), cases=0, rng=Random(seed))
    settings = load_settings({}, overrides={"CASEWORK_DATA_DIR": str(siege.data.root)}, without_kek=True)
    try:
        siege.up()
        assert siege.stack is not None
        siege.stack.stop()
        with open_stores(settings) as stores:
            folders = BankFolders(settings.exchange / "bank" / TENANT)
            vault = build_vault(settings, stores, wall_clock)
            siege.book = Daybook(stores.data, vault, FakeClock(datetime.now(UTC)), folders)
            today = siege.book.today()
            for number in range(agreements):
                agreement = siege.book.agree(rows=_rows(number, today), on=today, account=f"62220000{number:08}")
                _with_phone(siege.book, vault, agreement, f"138{number:08}")
            with stores.data.read() as session:
                account = session.get_one(Tenant, TENANT).collection_account or ""
            with running_mock_bank(folders, today=today, collects_on=account, fate=lambda _: Fate()) as bank:
                siege.bank = bank
                siege.up()
                yield siege
    finally:
        if siege.stack is not None and siege.stack.process.poll() is None:
            siege.stack.kill()
        wait_until(siege.nothing_is_left, seconds=5)


def _with_phone(book: Daybook, vault: Vault, agreement: Agreement, mobile: str) -> None:
    """The customer can be reminded: without that, nothing is debited (CCM-67)."""
    point, subject = new_token("cpt"), agreement.subject_id
    address = CellAddress(tenant=TENANT, table="contact_points", column="value_cell", row=point, subject=subject)
    row = ContactPoint(
        id=point,
        tenant=TENANT,
        subject_id=subject,
        kind="mobile",
        value_cell=vault.seal(address, mobile),
        created_at=book.clock(),
    )
    book.change(lambda session: session.add(row))


def _rows(number: int, today: date) -> tuple[Row, ...]:
    """The first is due when there has been time for its reminder."""
    first = today + timedelta(days=REMIND_DAYS + number % 5)
    return tuple(
        Row(no=no, due=first + (no - 1) * 7 * ONE_DAY, principal_minor=10_000 + number, interest_minor=100, fee_minor=0)
        for no in range(1, ROWS + 1)
    )
