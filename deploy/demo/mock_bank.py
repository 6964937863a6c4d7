"""The other side of the bank exchange in demo and tests: the independent program `mock-bank`, on loopback.

It takes our direct debits and credit transfers out of the outbox and puts status reports and notifications into the
inbox, in its own time, which `advance_to` moves. What goes wrong is decided for each debit by its fate, so that a run
repeats itself.
"""

import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import httpx
from mockbank import Config, make_server

from activities.gateways.bank.folder import BankFolders
from activities.gateways.bank.orders import Creditor

INSUFFICIENT_FUNDS: Final = "AM04"
ACCOUNT_CLOSED: Final = "AC04"
MANDATE_GONE: Final = "MD01"

# The creditor account has a domestic number for the profile generic-cny and an IBAN for the profile sepa.
CREDITOR_NUMBER: Final = "10000000000000001"
CREDITOR_BANK: Final = "102100099996"
_CREDITOR_ID: Final = "CASEWORK"
_SEEDED_RATE: Final = 65_536
NEVER_MS: Final = 3_600_000  # the folder is read when we say so, not when time passes
LARGE_FILE_S: Final = 300.0  # it reads a file of thousands of debits before it answers


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """A debit as the bank took it."""

    end_to_end_id: str
    mandate_id: str
    account: str = field(repr=False)
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What becomes of a debit: settled, rejected before it settles, or returned `days` calendar days after."""

    reason: str | None = None
    days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the bank knows of a debit that it read: whether money came, and whether it went back."""

    debit: Collected
    booked: bool
    returned: bool
    under_way: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """What the bank knows of a credit transfer: whether money left, and whether it came back."""

    end_to_end_id: str
    amount_minor: int
    booked: bool
    returned: bool


SETTLES: Final = Fate()
FateOf = Callable[[Collected], Fate]


def rejected(reason: str = INSUFFICIENT_FUNDS) -> Fate:
    """The debtor's bank says no before money moves."""
    return Fate(reason=reason)


def returned(reason: str = INSUFFICIENT_FUNDS, *, days: int) -> Fate:
    """Money moves, and goes back `days` later."""
    return Fate(reason=reason, days=days)


def all_settle(_: Collected) -> Fate:
    """Nothing goes wrong."""
    return SETTLES


class ScriptedFates:
    """By mandate or account: one fate for each debit in turn; when they are used up, debits settle."""

    def __init__(self, fates: Mapping[str, Sequence[Fate]]) -> None:
        self._waiting = {name: list(in_turn) for name, in_turn in fates.items()}

    def __call__(self, debit: Collected) -> Fate:
        """The next fate of the debit's mandate, or else of its account."""
        waiting = self._waiting.get(debit.mandate_id) or self._waiting.get(debit.account)
        return waiting.pop(0) if waiting else SETTLES


def seeded_fates(seed: int, *, rejected_rate: float = 0.04, returned_rate: float = 0.01) -> FateOf:
    """Bad luck by seed and end-to-end id: the same debit always has the same fate, whatever comes before it."""

    def fate(debit: Collected) -> Fate:
        digest = hashlib.sha256(f"{seed}/{debit.end_to_end_id}".encode()).digest()
        luck = int.from_bytes(digest[:2]) / _SEEDED_RATE
        if luck < rejected_rate:
            return rejected(ACCOUNT_CLOSED if digest[2] % 8 == 0 else INSUFFICIENT_FUNDS)
        if luck < rejected_rate + returned_rate:
            return returned(MANDATE_GONE, days=1 + digest[2] % 5)
        return SETTLES

    return fate


class MockBank:
    """A running mock bank. Its files are the folders' outbox and inbox."""

    def __init__(self, client: httpx.Client, *, today: date, currency: str, fate: FateOf) -> None:
        self._client, self._today, self.currency, self._fate = client, today, currency, fate
        self._seen: set[str] = set()
        self._returning: dict[str, Fate] = {}

    @property
    def creditor(self) -> Creditor:
        """The account to collect for, named as the profile of the currency names it."""
        if self.currency == "EUR":
            return Creditor(
                name="Casework Demo", account=demo_iban("CASEWORK00"), bank="MOCKNL2A", scheme_id="NL00DEMO1"
            )
        return Creditor(name="办件演示银行", account=CREDITOR_NUMBER, bank=CREDITOR_BANK)

    @property
    def today(self) -> date:
        """The bank's date."""
        return self._today

    def customer(self, name: str, *, account: str, behaviour: str = "accept", **fields: Any) -> None:
        """Open an account at this very bank (IBAN only), which then decides by its behaviour instead of a fate."""
        body = {"id": name, "iban": account, "currency": self.currency, "behaviour": behaviour, **fields}
        self._call("POST", "/_mock/accounts", json=body)

    def sender_behaves(self, behaviour: str, **parameters: Any) -> None:
        """How the bank treats the files we send: `accept`, `reject-file`, `duplicate-file`, `silent`, `statement-gap`.

        Of credit transfers besides `insufficient-funds` (by the balance, see `fund`) and `return-later`, whose
        parameters are `days` (business days), `reason`, and `end_to_end_id` for a single one.
        """
        body = {"behaviour": behaviour, "parameters": parameters}
        self._call("PATCH", f"/_mock/accounts/{_CREDITOR_ID}", json=body)

    def fund(self, balance_minor: int) -> None:
        """What lies on the account out of which wages are paid."""
        self._call("PATCH", f"/_mock/accounts/{_CREDITOR_ID}", json={"balance": balance_minor})

    def credit(self, amount_minor: int, *, end_to_end_id: str = "NOTPROVIDED", reference: str = "") -> None:
        """Somebody pays into our account; it books today and is told as all money is."""
        body = {
            "account": _CREDITOR_ID,
            "amount": amount_minor,
            "end_to_end_id": end_to_end_id,
            "reference": reference,
        }
        self._call("POST", "/_mock/credits", json=body)

    def payments(self) -> list["Paid"]:
        """Every credit transfer that was read and not rejected as a whole file, oldest first."""
        rows: list[dict[str, Any]] = self._call("GET", "/_mock/payments")
        return [
            Paid(
                end_to_end_id=row["end_to_end_id"],
                amount_minor=row["amount"],
                booked=row["booked_at"] is not None,
                returned=row["returned_at"] is not None,
            )
            for row in reversed(rows)
        ]

    def take_files(self) -> list[dict[str, Any]]:
        """Read the outbox, answer into the inbox, and let the fates of new debits begin. Answers what was read."""
        taken: list[dict[str, Any]] = self._call("POST", "/_mock/drop/scan")["files"]
        for debit, row in self._collections():
            if row["status"] != "accepted" or debit.end_to_end_id in self._seen:
                continue
            self._seen.add(debit.end_to_end_id)
            fate = self._fate(debit)
            if fate.days is not None:
                self._returning[debit.end_to_end_id] = fate
            elif fate.reason is not None:
                self.refuse(debit.end_to_end_id, reason=fate.reason)
        return taken

    def refuse(self, end_to_end_id: str, *, reason: str) -> None:
        """The debtor's bank says no: a rejection before the debit settles, a return after."""
        self._call("POST", f"/_mock/collections/{end_to_end_id}/refuse", json={"reason": reason})

    def entries(self) -> list[Entry]:
        """Every debit that was read and not rejected as a whole file, oldest first."""
        return [
            Entry(
                debit=debit,
                booked=row["booked_at"] is not None,
                returned=row["returned_at"] is not None,
                under_way=(row["status"] == "accepted" and row["booked_at"] is None)
                or (row["return_due"] is not None and row["returned_at"] is None),
            )
            for debit, row in self._collections()
        ]

    def is_waiting(self) -> bool:
        """Whether it still has something to say about a debit: to settle, or to come back."""
        return bool(self._returning) or any(entry.under_way for entry in self.entries())

    def balance_minor(self) -> int:
        """What lies on the account that collects."""
        balance: int = self._call("GET", f"/_mock/accounts/{_CREDITOR_ID}")["balance"]
        return balance

    def advance_to(self, day: date) -> None:
        """Move the bank's date, a day at a time: what is due settles, what is to come back comes back."""
        while self._today < day:
            self._today += timedelta(days=1)
            self._call("POST", f"/_mock/advance?to={self._today.isoformat()}")
            if self._returning:
                self._send_back()

    def _send_back(self) -> None:
        for debit, row in self._collections():
            fate = self._returning.get(debit.end_to_end_id)
            if fate is None or row["booked_at"] is None:
                continue
            due = date.fromisoformat(row["settlement_date"]) + timedelta(days=fate.days or 0)
            if self._today >= due:
                del self._returning[debit.end_to_end_id]
                self.refuse(debit.end_to_end_id, reason=fate.reason or ACCOUNT_CLOSED)

    def _collections(self) -> Iterator[tuple[Collected, dict[str, Any]]]:
        rows: list[dict[str, Any]] = self._call("GET", "/_mock/collections")
        for row in reversed(rows):  # oldest first
            debit = Collected(
                end_to_end_id=row["end_to_end_id"],
                mandate_id=row["mandate_id"] or "",
                account=row["debtor_iban"] or "",
                amount_minor=row["amount"],
            )
            yield debit, row

    def _call(self, method: str, path: str, **content: Any) -> Any:
        answer = self._client.request(method, path, **content)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_mock_bank(
    folders: BankFolders,
    *,
    today: date,
    currency: str = "CNY",
    holidays: Sequence[date] = (),
    fate: FateOf = all_settle,
    collects_on: str = CREDITOR_NUMBER,
) -> Iterator[MockBank]:
    """Start a mock bank over the folders; it ends with the block.

    Args:
        folders: its drop folder is our outbox, its pick-up folder our inbox.
        today: the bank's first date. Of our calendar it knows weekends and `holidays`; a weekend on which banks in
            China work (调休) it takes for a weekend, and settles on the Monday.
        currency: CNY goes with the profile generic-cny, EUR with sepa; it reads pain.008.001.08 of both.
        holidays: weekdays on which banks are closed.
        fate: what becomes of each debit.
        collects_on: number of the account that collects.
    """
    folders.prepare()
    config = Config(
        port=0,
        quiet=True,
        timezone="Asia/Shanghai",
        clock=f"{today.isoformat()}T09:00",
        drop_dir=str(folders.outbox),
        pickup_dir=str(folders.inbox),
        drop_settle_ms=0,
        drop_interval_ms=NEVER_MS,
    )
    server = make_server(config)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="mock-bank", daemon=True
    )
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with httpx.Client(base_url=address, trust_env=False, timeout=LARGE_FILE_S, verify=_trust()) as client:
            bank = MockBank(client, today=today, currency=currency, fate=fate)
            open_bank(client, currency, holidays, number=collects_on)
            yield bank
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def _trust() -> ssl.SSLContext:
    """What a client would trust, read once: reading it takes longer than opening a bank."""
    return httpx.create_ssl_context(trust_env=False)


def open_bank(client: httpx.Client, currency: str, holidays: Sequence[date], *, number: str) -> None:
    """Give a bank that has just been started its only open account, and its holidays; arguments as above."""
    account = {
        "id": _CREDITOR_ID,
        "name": "Casework Demo",
        "iban": demo_iban("CASEWORK00"),
        "currency": currency,
        "account_number": number,
    }
    seeded = client.get("/_mock/accounts").raise_for_status().json()
    for other in seeded:  # closed, since an open account sends a statement every day
        client.patch(f"/_mock/accounts/{other['id']}", json={"closed": True}).raise_for_status()
    client.post("/_mock/accounts", json=account).raise_for_status()
    client.put("/_mock/holidays", json=[day.isoformat() for day in holidays]).raise_for_status()


def demo_iban(account: str, *, country: str = "NL") -> str:
    """A made-up IBAN with right check digits (ISO 13616); the bank in it is nobody's."""
    rest = f"CSWK{account}"
    spelled = "".join(str(int(character, 36)) for character in f"{rest}{country}00")
    return f"{country}{98 - int(spelled) % 97:02d}{rest}"
