"""The mock bank as a process of its own whose books lie on disk: killed in the middle of a call, it stands up again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx

from activities.gateways.bank.folder import BankFolders
from deploy.demo.mock_bank import CREDITOR_NUMBER, LARGE_FILE_S, NEVER_MS, FateOf, MockBank, open_bank
from deploy.temporal_server import free_port
from tests.support.processes import wait_until

# It is killed while it reads what we sent and while its date moves. Behind a refusal it would forget what it owes us:
# it notes that it has refused before it notes that it is to say so.
_READS, _MOVES = "/_mock/drop/scan", "/_mock/advance"
_UP_WITHIN_S: Final = 60.0
_ALREADY: Final = 409


class StandingBank(MockBank):
    """A bank that can be killed: whoever calls it calls again until it answers.

    Attributes:
        blows: seconds after its beginning at which a call is hit, by the number of the call from 1; calls in which
            the bank reads, or its date moves.
        killed: what the bank was asked at each kill, and whether that kill took its answer away.
    """

    def __init__(self, client: httpx.Client, process: "BankProcess", *, today: date, fate: FateOf) -> None:
        """The process runs."""
        super().__init__(client, today=today, currency="CNY", fate=fate)
        self._process = process
        self.blows: dict[int, float] = {}
        self.killed: list[tuple[str, bool]] = []
        self._calls = 0
        self._again = False

    def refuse(self, end_to_end_id: str, *, reason: str) -> None:
        """As any bank; what it did and could not say any more, it did."""
        try:
            super().refuse(end_to_end_id, reason=reason)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _ALREADY or not self._again:
                raise

    def _call(self, method: str, path: str, **content: Any) -> Any:
        self._again = False
        blow = self._blow_of(path)
        while True:
            try:
                answer = super()._call(method, path, **content)
                break
            except httpx.TransportError:
                self._again = True
                time.sleep(0.05)
        if blow is not None:
            blow.join()
            self.killed[-1] = (self.killed[-1][0], self._again)
        if path.startswith(_MOVES):
            self._process.today = self.today
        return answer

    def _blow_of(self, path: str) -> threading.Thread | None:
        """The kill that falls in this call, under way."""
        if not path.startswith((_READS, _MOVES)):
            return None
        self._calls += 1
        after = self.blows.get(self._calls)
        if after is None:
            return None
        self.killed.append((path.partition("?")[0], False))

        def fall() -> None:
            time.sleep(after)
            self._process.kill()
            self._process.start()

        thread = threading.Thread(target=fall, name="blow")
        thread.start()
        return thread


class BankProcess:
    """The process.

    Attributes:
        today: the last date to which it has come for certain; there it goes on.
    """

    def __init__(self, folder: Path, folders: BankFolders, *, today: date) -> None:
        """Nothing runs yet; its books lie in `folder`."""
        self._folder, self._folders, self.today = folder, folders, today
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Of loopback."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it over its books, and wait until it answers."""
        near = {name: os.path.relpath(path, self._folder) for name, path in self._paths().items()}
        command = [
            sys.executable, "-m", "mockbank", "--quiet",
            "--port", str(self.port), "--db", "bank.db",
            "--timezone", "Asia/Shanghai", "--clock", f"{self.today.isoformat()}T09:00",
            "--drop-dir", near["drop"], "--pickup-dir", near["pickup"],
            "--drop-settle-ms", "0", "--drop-interval-ms", str(NEVER_MS),
        ]  # fmt: skip
        # Relative paths: by the name of the data directory the stack's own processes are known.
        self._process = subprocess.Popen(command, cwd=self._folder, stderr=subprocess.DEVNULL)
        wait_until(self._answers, seconds=_UP_WITHIN_S)

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _paths(self) -> dict[str, Path]:
        return {"drop": self._folders.outbox, "pickup": self._folders.inbox}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/_mock/state", timeout=10, trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def standing_bank(
    folder: Path, folders: BankFolders, *, today: date, holidays: Sequence[date], fate: FateOf
) -> Iterator[StandingBank]:
    """A bank over the folders; it ends with the block. Arguments as `running_mock_bank`; its books lie in `folder`."""
    folders.prepare()
    process = BankProcess(folder, folders, today=today)
    process.start()
    try:
        with httpx.Client(base_url=process.address, trust_env=False, timeout=LARGE_FILE_S) as client:
            open_bank(client, "CNY", holidays, number=CREDITOR_NUMBER)
            yield StandingBank(client, process, today=today, fate=fate)
    finally:
        process.kill()
