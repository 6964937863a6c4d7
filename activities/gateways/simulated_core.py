"""A small card core for demo and tests: balances drawn from the card number, orders once per key, failures on demand.

Kept in memory, or in a file of its own that several processes share and that outlives them: one JSON line per thing
done, in order. Cards stand in it as digests.
"""

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from activities.gateways.core import Acknowledgement, Card, CardBalances, CoreGateway
from models.domain.core_journal import JournalFile, JournalLine, control_totals
from models.domain.core_orders import OrderKind
from models.domain.rule_words import DueDiligence
from models.errors import GatewayRefused, GatewayUnavailable

CURRENCY: Final = "CNY"
# Per kind of balance: up to so many steps of so many minor units each.
_STEPS: Final = ((200, 15_000), (40, 10_000), (30, 500), (60, 1_000), (20, 25_000))
_OLDEST_DAYS: Final = 180  # so many days past due at most


@dataclass(slots=True)
class Failures:
    """What goes wrong next, on demand; each count falls as it is used up.

    Attributes:
        silent: so many calls get no answer, and nothing is done.
        lost: so many orders are carried out, and their answer is lost.
        refusals: reason codes by which the next orders are refused.
        refusals_of_balances: reason codes by which the next questions for balances are refused.
        due_diligence: what the next answers say of the holder instead of `current`.
        agencies_pending: how many agencies have yet to acknowledge, at the next recalls; then none.
    """

    silent: int = 0
    lost: int = 0
    refusals: list[str] = field(default_factory=list)
    refusals_of_balances: list[str] = field(default_factory=list)
    due_diligence: list[DueDiligence] = field(default_factory=list)
    agencies_pending: list[int] = field(default_factory=list)


@dataclass(slots=True)
class SimulatedCore(CoreGateway):
    """Carries out each key once. `file` keeps what was done across processes; without it memory does."""

    file: Path | None = None
    failures: Failures = field(default_factory=Failures)
    _done: dict[str, dict[str, str]] = field(default_factory=dict)
    _flags: dict[tuple[str, str], bool] = field(default_factory=dict)
    _booked: dict[tuple[str, str], dict[str, JournalLine]] = field(default_factory=dict)
    _read_to: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def balances(
        self,
        card: Card,
        *,
        as_of: date,  # noqa: ARG002 - this core stands still
        declared_minor: int | None = None,
    ) -> CardBalances:
        """The same figures for the same card, always; a declared sum is believed, and divided as the card says.

        The holder's due diligence is current unless a failure says otherwise.
        """
        self._may_stay_silent()
        if self.failures.refusals_of_balances:
            raise GatewayRefused(detail="core: balances", params={"reason": self.failures.refusals_of_balances.pop(0)})
        digest = hashlib.sha256(card.number.encode()).digest()
        if declared_minor is not None:
            amounts = _divided(declared_minor, digest)
        else:
            amounts = [digest[place] % (most + 1) * step for place, (most, step) in enumerate(_STEPS)]
        said = self.failures.due_diligence
        return CardBalances(
            CURRENCY,
            *amounts,
            days_past_due=digest[len(_STEPS)] % (_OLDEST_DAYS + 1),
            due_diligence=said.pop(0) if said else DueDiligence.CURRENT,
        )

    def order(self, kind: OrderKind, card: Card, *, key: str) -> Acknowledgement:
        """Do it once, refuse it, or say nothing."""
        self._may_stay_silent()
        with self._opened() as write:
            told = {"do": "order", "key": key, "kind": kind.value, "card": _digest(card)}
            done = self._done.get(key)
            if done is None:
                if self.failures.refusals:
                    raise GatewayRefused(detail=f"core: {kind}", params={"reason": self.failures.refusals.pop(0)})
                write({**told, "reference": f"core-{hashlib.sha256(key.encode()).hexdigest()[:20]}"})
                done = self._done[key]
            elif told.items() - done.items():
                raise GatewayRefused(detail=f"core: {kind}", params={"reason": "key-reused"})
            pending = 0
            if kind is OrderKind.RECALL_COLLECTION and self.failures.agencies_pending:
                pending = self.failures.agencies_pending.pop(0)
            if self.failures.lost:
                self.failures.lost -= 1
                raise GatewayUnavailable(detail="core: the answer was lost")
        return Acknowledgement(reference=done["reference"], agencies_pending=pending)

    def journal(self, *, tenant: str, business_date: date) -> JournalFile:
        """What was booked for the date; nothing booked is an empty journal."""
        self._may_stay_silent()
        with self._opened():
            lines = tuple(self._booked.get((tenant, business_date.isoformat()), {}).values())
        return JournalFile(
            tenant=tenant,
            business_date=business_date,
            currency=CURRENCY,
            lines=lines,
            control=control_totals(lines),
        )

    def book(self, lines: Iterable[JournalLine], *, tenant: str, business_date: date) -> None:
        """Book entries of a date; a reference that the date's journal has already is left alone."""
        day = business_date.isoformat()
        with self._opened() as write:
            for line in lines:
                if line.reference not in self._booked.get((tenant, day), {}):
                    entry = {"reference": line.reference, "account": line.account, "amount": line.amount_minor}
                    write({"do": "book", "tenant": tenant, "date": day, **entry})

    def orders(self) -> int:
        """How many orders were carried out, each key counted once."""
        with self._opened():
            return len(self._done)

    def is_blocked(self, card: Card) -> bool:
        """Whether the holder gets no new card."""
        with self._opened():
            return self._flags.get((_digest(card), "blocked"), False)

    def is_recalled(self, card: Card) -> bool:
        """Whether collection stands still."""
        with self._opened():
            return self._flags.get((_digest(card), "recalled"), False)

    def _may_stay_silent(self) -> None:
        with self._lock:
            if self.failures.silent:
                self.failures.silent -= 1
                raise GatewayUnavailable(detail="core")

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Everything done so far is known inside; what is written there is done."""
        with self._lock:
            if self.file is None:
                yield self._apply
                return
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)  # let go of with the handle, also by a process that is killed
                self._catch_up(handle)

                def write(told: dict[str, Any]) -> None:
                    line = json.dumps(told, separators=(",", ":")).encode() + b"\n"
                    self._read_to += os.pwrite(handle, line, self._read_to)
                    self._apply(told)

                yield write
            finally:
                os.close(handle)

    def _catch_up(self, handle: int) -> None:
        """Read what others have written. A line without its end is of one that was killed: it was never answered."""
        size = os.fstat(handle).st_size
        news = os.pread(handle, size - self._read_to, self._read_to)
        whole = news[: news.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._apply(json.loads(line))
        self._read_to += len(whole)
        os.ftruncate(handle, self._read_to)

    def _apply(self, told: dict[str, Any]) -> None:
        if told["do"] == "book":
            day = self._booked.setdefault((told["tenant"], told["date"]), {})
            day[told["reference"]] = JournalLine(
                reference=told["reference"], account=told["account"], amount_minor=told["amount"]
            )
            return
        self._done[told["key"]] = told
        flag, value = _EFFECT[OrderKind(told["kind"])]
        self._flags[told["card"], flag] = value


_EFFECT: Final = {
    OrderKind.BLOCK_CARD: ("blocked", True),
    OrderKind.RELEASE_CARD: ("blocked", False),
    OrderKind.RECALL_COLLECTION: ("recalled", True),
    OrderKind.RESUME_COLLECTION: ("recalled", False),
}


def _divided(total_minor: int, digest: bytes) -> list[int]:
    """Up to 15 % cash, up to 2 % fees, 1 to 8 % interest, running installments on one card in four; else purchases."""
    cash, fees, interest = digest[0] % 16, digest[1] % 3, 1 + digest[2] % 8
    running = digest[4] % 11 if digest[3] % 4 == 0 else 0
    shares = [total_minor * percent // 100 for percent in (cash, fees, interest, running)]
    return [total_minor - sum(shares), *shares]


def _digest(card: Card) -> str:
    return hashlib.sha256(f"{card.tenant}/{card.number}".encode()).hexdigest()
