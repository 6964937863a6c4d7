"""The card core behind a watched folder: orders out; answers, journals and balances in (docs/core-exchange.md).

The folder belongs to the bank's exchange and lies outside the data directory: what is in it is in clear. An order's
file carries the card number and goes away as soon as the core has answered.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activities.gateways.bank.whole_file import digest_of, whole_file
from activities.gateways.core import Acknowledgement, Card, CardBalances, CoreGateway
from activities.gateways.core_format import CoreRule, read_balances, read_journal, unreadable
from models.domain.core_journal import JournalFile
from models.domain.core_orders import OrderKind
from models.domain.ids import TENANT_CODE
from models.errors import CoreFileUnreadable, GatewayRefused, GatewayUnavailable

MAX_ANSWER_BYTES: Final = 4096
_KEY: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._/-]{0,119}\Z")
_DIGEST_DIGITS: Final = 12
_Read = TypeVar("_Read")


class CoreAnswer(BaseModel):
    """An acknowledgement as it lies in the folder."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    key: str
    kind: str
    result: str = Field(pattern=r"\A(?:done|refused)\z")
    reference: str | None = Field(default=None, pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")
    reason: str | None = Field(default=None, pattern=r"\A[a-z0-9][a-z0-9-]{0,39}\z")
    agencies_pending: int = Field(default=0, alias="agenciesPending", ge=0, le=1000)


class CoreFolder:
    """The places of one tenant's exchange with its core."""

    def __init__(self, root: Path, *, tenant: str) -> None:
        """Name them under `<root>/<tenant>`.

        Raises:
            ValueError: the tenant's code is none.
        """
        if TENANT_CODE.match(tenant) is None:
            raise ValueError("not a tenant's code")
        base = root / tenant
        self.orders = base / "orders"
        self.acknowledgements = base / "acknowledgements"
        self.journal = base / "journal"
        self.balances = base / "balances"
        self.quarantine = base / "quarantine"

    def make(self) -> None:
        """Make what is missing, for this account and its group."""
        for folder in (self.orders, self.acknowledgements, self.journal, self.balances, self.quarantine):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)

    def order_file(self, key: str) -> Path:
        """Where the order of a key goes."""
        return self.orders / answer_name(key)

    def answer_file(self, key: str) -> Path:
        """Where the core answers it."""
        return self.acknowledgements / answer_name(key)

    def journal_file(self, business_date: date) -> Path:
        """The journal of a date."""
        return self.journal / f"journal-{business_date.isoformat()}.csv"

    def balances_file(self, business_date: date) -> Path:
        """The balances at the end of a date."""
        return self.balances / f"balances-{business_date.isoformat()}.csv"


def answer_name(key: str) -> str:
    """The file name that a key gives, and no other key: a slash, which no name may hold, becomes a plus.

    Raises:
        ValueError: the key holds other characters than letters, digits and `. _ / -`.
    """
    if _KEY.match(key) is None:
        raise ValueError("the key of an order gives no file name")
    return key.replace("/", "+") + ".json"


def order_text(kind: OrderKind, card: Card, *, key: str) -> bytes:
    """An order as it lies in the folder: the same bytes each time it is written."""
    told = {"key": key, "kind": kind.value, "tenant": card.tenant, "card": card.number}
    return (json.dumps(told, indent=1) + "\n").encode()


@dataclass(frozen=True, slots=True)
class FileCore(CoreGateway):
    """Hands orders over as files and waits for answers; `root` is `core` in the exchange directory."""

    root: Path

    def balances(self, card: Card, *, as_of: date, declared_minor: int | None = None) -> CardBalances:  # noqa: ARG002
        """From the extract of the date, read through once.

        Raises:
            CoreFileUnreadable: the extract is broken and now lies in quarantine.
            GatewayRefused: the card is not in it.
            GatewayUnavailable: there is no extract of that date yet.
        """
        folder = CoreFolder(self.root, tenant=card.tenant)

        def read(file: BinaryIO) -> CardBalances | None:
            return read_balances(file, tenant=card.tenant, business_date=as_of, card_number=card.number)

        found = _read(folder, folder.balances_file(as_of), read)
        if found is None:
            raise GatewayRefused(detail=f"core: balances of {as_of}", params={"reason": "card-unknown"})
        return found

    def journal(self, *, tenant: str, business_date: date) -> JournalFile:
        """From the file of the date.

        Raises:
            CoreFileUnreadable: the file is broken and now lies in quarantine.
            GatewayUnavailable: there is no file of that date yet.
        """
        folder = CoreFolder(self.root, tenant=tenant)

        def read(file: BinaryIO) -> JournalFile:
            return read_journal(file, tenant=tenant, business_date=business_date)

        return _read(folder, folder.journal_file(business_date), read)

    def order(self, kind: OrderKind, card: Card, *, key: str) -> Acknowledgement:
        """Take the answer if it is there, else see to it that the order lies in the folder.

        Raises:
            CoreFileUnreadable: the answer is broken and now lies in quarantine; the order waits for another.
            GatewayRefused: the core refused. The answer is used up: another call hands the order over again.
            GatewayUnavailable: no answer yet, or the folder cannot be reached.
        """
        folder = CoreFolder(self.root, tenant=card.tenant)
        try:
            folder.make()
            if not folder.answer_file(key).exists():
                _hand_over(folder.order_file(key), order_text(kind, card, key=key))
                raise GatewayUnavailable(detail=f"core: no answer to {kind} yet")
            answer = _read(folder, folder.answer_file(key), _read_answer)
            return _taken(folder, answer, kind, key=key)
        except OSError as error:
            raise GatewayUnavailable(detail=f"core: {type(error).__name__}") from None


def _hand_over(target: Path, content: bytes) -> None:
    """Write the order unless it lies there; another order under the same key is refused."""
    try:
        if target.read_bytes() == content:
            return
    except FileNotFoundError:
        with whole_file(target) as file:
            file.write(content)
        return
    raise GatewayRefused(detail="core: another order has this key", params={"reason": "key-reused"})


def _taken(folder: CoreFolder, answer: CoreAnswer, kind: OrderKind, *, key: str) -> Acknowledgement:
    if (answer.key, answer.kind) != (key, kind.value):
        raise GatewayRefused(detail="core: the answer is to another order", params={"reason": "key-reused"})
    if answer.result == "refused":
        # First the order, then the answer: whoever is killed between the two finds the refusal again.
        folder.order_file(key).unlink(missing_ok=True)
        folder.answer_file(key).unlink(missing_ok=True)
        raise GatewayRefused(detail=f"core: {kind} refused", params={"reason": answer.reason or "unspecified"})
    if not answer.agencies_pending:
        folder.order_file(key).unlink(missing_ok=True)  # with it the card number goes; the answer stays
    return Acknowledgement(reference=answer.reference or "", agencies_pending=answer.agencies_pending)


def _read_answer(file: BinaryIO) -> CoreAnswer:
    content = file.read(MAX_ANSWER_BYTES + 1)
    if len(content) > MAX_ANSWER_BYTES:
        raise unreadable(1, "answer", CoreRule.TOO_LARGE, limit=MAX_ANSWER_BYTES)
    try:
        answer = CoreAnswer.model_validate_json(content)
    except ValidationError as error:
        place = error.errors(include_input=False, include_url=False)[0]["loc"]
        # A member that does not belong is not repeated: its name is the core's own text.
        known = {name for model in CoreAnswer.model_fields.items() for name in (model[0], model[1].alias)}
        field = str(place[0]) if place and place[0] in known else "answer"
        raise unreadable(1, field, CoreRule.FORM) from None
    if answer.result == "done" and answer.reference is None:
        raise unreadable(1, "reference", CoreRule.FORM)
    return answer


def _read(folder: CoreFolder, path: Path, read: Callable[[BinaryIO], _Read]) -> _Read:
    """Read a file of the core; a broken one goes to quarantine, so that a mended one can take its place."""
    try:
        with path.open("rb") as file:
            return read(file)
    except CoreFileUnreadable as broken:
        _quarantine(folder, path, broken)
        raise
    except OSError as error:
        raise GatewayUnavailable(detail=f"core: {path.name}: {type(error).__name__}") from None


def _quarantine(folder: CoreFolder, path: Path, broken: CoreFileUnreadable) -> None:
    """Move the file aside under a name of its own, and say beside it what is wrong."""
    broken.detail = f"{path.name}, {broken.detail}"
    broken.params = {**broken.params, "file": path.name}
    try:
        folder.make()
        aside = folder.quarantine / f"{path.stem}.{digest_of(path)[:_DIGEST_DIGITS]}{path.suffix}"
        with whole_file(aside.with_name(f"{aside.name}.error.json")) as told:  # first: nothing lies there unexplained
            told.write((json.dumps(broken.params, indent=1) + "\n").encode())
        path.replace(aside)
    except FileNotFoundError:
        return  # another process was first
