"""Writes initiations (pain.008, pain.001) as a stream: what both messages share of elements, totals and the file.

Memory does not grow with the number of orders: each is one line of the file, and its elements are filled anew.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from lxml import etree

from activities.gateways.bank.profiles import AccountScheme, AgentScheme, BankProfile
from activities.gateways.bank.rules import BankRule
from activities.gateways.bank.whole_file import DigestWriter, whole_file
from models.errors import BankFileInvalid, FieldFault

Element = etree._Element  # noqa: SLF001 - lxml gives its element type no public name


class HasAmount(Protocol):
    """One order of a file."""

    @property
    def amount_minor(self) -> int:
        """Minor units of the file's currency."""


Order = TypeVar("Order", bound=HasAmount)


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFile:
    """A file as it lies on disk. `digest` is SHA-256 in hexadecimal; `sum_minor` is in minor units."""

    path: Path
    name: str
    message_id: str
    digest: str
    size_bytes: int
    count: int
    sum_minor: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What a batch says of itself before its orders: its id, how many, their sum; where it stands, what they are."""

    batch_id: str
    count: int
    sum_minor: int
    pointer: str
    name: str


class WholeDocument(AbstractContextManager["WholeDocument"]):
    """One document, on disk under its name when the block ends without an error, and not at all otherwise."""

    def __init__(self, namespace: str, body: str, target: Path) -> None:
        """Nothing is written before the block begins."""
        self._namespace, self._body, self._target = namespace, body, target
        self._stack = ExitStack()
        self._xml: Any = None
        self._sink: DigestWriter | None = None

    def __enter__(self) -> Self:
        """Write the root elements."""
        with ExitStack() as stack:
            self._sink = stack.enter_context(whole_file(self._target))
            self._xml = stack.enter_context(etree.xmlfile(self._sink, encoding="utf-8"))
            self._xml.write_declaration()
            stack.enter_context(self._xml.element("Document", nsmap={None: self._namespace}))
            stack.enter_context(self._xml.element(self._body))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is open; a failure leaves no file."""
        self._stack.__exit__(kind, error, trace)

    def write(self, element: Element) -> None:
        """One element, on a line of its own."""
        self._xml.write(element, "\n")

    @contextmanager
    def batch(self, header: Iterable[Element]) -> Iterator[None]:
        """One PmtInf: its header now, its orders within the block."""
        with self._xml.element("PmtInf"):
            for part in header:
                self._xml.write(part)
            self._xml.write("\n")
            yield
        self._xml.write("\n")

    def write_orders(self, orders: Iterable[Order], stated: Stated, *, fill: Callable[[Order], Element]) -> None:
        """Every order of a batch.

        Raises:
            BankFileInvalid: they are not so many, or not of that sum, as stated; a value cannot stand in XML.
        """
        count = sum_minor = 0
        for order in orders:
            try:
                self._xml.write(fill(order), with_tail=True)
            except ValueError:
                raise _unwritable(f"{stated.pointer}/{stated.name}/{count}") from None
            count += 1
            sum_minor += order.amount_minor
        faults = [
            FieldFault(pointer=f"{stated.pointer}/{name}", code=rule, params={"stated": said, "found": found})
            for name, rule, said, found in (
                ("count", BankRule.COUNT, stated.count, count),
                ("sumMinor", BankRule.SUM, stated.sum_minor, sum_minor),
            )
            if said != found
        ]
        if faults:
            raise BankFileInvalid(detail=stated.batch_id, faults=tuple(faults))

    def written(self, name: str, *, message_id: str, count: int, sum_minor: int) -> WrittenFile:
        """What lies on disk, once the block has ended."""
        if self._sink is None:
            raise RuntimeError("asked before the document was written")
        return WrittenFile(
            path=self._target,
            name=name,
            message_id=message_id,
            digest=self._sink.digest,
            size_bytes=self._sink.size_bytes,
            count=count,
            sum_minor=sum_minor,
        )


def _unwritable(pointer: str) -> BankFileInvalid:
    # The library refuses control characters, our amounts refuse what is no amount; neither message may show the value.
    return BankFileInvalid(detail=pointer, faults=(FieldFault(pointer=pointer, code=BankRule.CHARSET),))


@contextmanager
def named(pointer: str) -> Iterator[None]:
    """What cannot be written here is a fault at `pointer`, without its value."""
    try:
        yield
    except ValueError:
        raise _unwritable(pointer) from None


def group_header(message_id: str, *, created_at: datetime, count: int, total: str, initiator: str) -> Element:
    """GrpHdr: who sends what, so many, of that sum."""
    header = etree.Element("GrpHdr")
    with named("/header"):
        child(header, "MsgId").text = message_id
        child(header, "CreDtTm").text = created_at.isoformat(timespec="seconds")
        child(header, "NbOfTxs").text = str(count)
        child(header, "CtrlSum").text = total
        child(header, "InitgPty", "Nm").text = initiator
    return header


def child(parent: Element, *path: str) -> Element:
    """A new element below others."""
    for tag in path:
        parent = etree.SubElement(parent, tag)
    return parent


def account(parent: Element, tag: str, number: str, *, profile: BankProfile) -> Element:
    """An account as the profile names it; returns where its number stands."""
    ident = child(parent, tag, "Id")
    place = child(ident, "IBAN") if profile.accounts is AccountScheme.IBAN else child(ident, "Othr", "Id")
    place.text = number
    return place


def agent(parent: Element, tag: str, code: str, *, bic: str, profile: BankProfile, known: bool) -> Element:
    """A bank as the profile names it; `bic` is the message version's element for a BIC."""
    institution = child(parent, tag, "FinInstnId")
    if not known:
        place = child(institution, "Othr", "Id")
    elif profile.agents is AgentScheme.BIC:
        place = child(institution, bic)
    else:
        member = child(institution, "ClrSysMmbId")
        child(member, "ClrSysId", "Cd").text = profile.clearing_system
        place = child(member, "MmbId")
    place.text = code
    return place
