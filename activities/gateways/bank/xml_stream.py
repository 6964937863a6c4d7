"""Reads XML of others as a stream: no document types, no entities, no network, no file above a limit, flat memory."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lxml import etree

from activities.gateways.bank.rules import MOST_FAULTS, BankRule
from models.errors import BankFileUnreadable, FieldFault

Element = etree._Element  # noqa: SLF001 - lxml gives its element type no public name

MOST_BYTES: Final = 256 * 1024 * 1024
_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3}\.\d{3}\.\d{2})")
# A character for private use: no bank writes one, so values can be told apart by it.
_BETWEEN: Final = "\ue000"


@dataclass(frozen=True, slots=True)
class Message:
    """What a file is: `name` such as `pain.002.001.10`, `body` the one element below its root."""

    path: Path
    name: str
    namespace: str
    body: str

    @property
    def kind(self) -> str:
        """Without the version: `pain.002`."""
        return self.name[:8]


def identify(path: Path, *, most_bytes: int = MOST_BYTES) -> Message:
    """What message a file holds, by its first two elements alone.

    Raises:
        BankFileUnreadable: empty, too large, no XML, with a document type, or not an ISO 20022 message.
    """
    size = path.stat().st_size
    if size == 0:
        raise unreadable(BankRule.EMPTY)
    if size > most_bytes:
        raise unreadable(BankRule.TOO_LARGE, limit=most_bytes)
    begun = _events(path, events=("start",), tags=None, schema=None)
    root, body = next(begun, None), next(begun, None)
    begun.close()
    if root is None:
        raise unreadable(BankRule.EMPTY)
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise unreadable(BankRule.DOCTYPE)
    qualified = etree.QName(root)
    match = _NAMESPACE.fullmatch(qualified.namespace or "")
    if match is None or qualified.localname != "Document":
        raise unreadable(BankRule.MESSAGE, expected="ISO 20022")
    return Message(path, match[1], match[0], etree.QName(body).localname if body is not None else "")


def elements(message: Message, *tags: str, schema: etree.XMLSchema | None = None) -> Iterator[Element]:
    """The elements of the message with these tags, each when it is complete, in the order in which they end.

    An element lives until the next one of its kind is asked for; what lies before it in its parent stays.

    Raises:
        BankFileUnreadable: the file breaks off, or the schema (if given) does not allow what it holds.
    """
    document = f"{{{message.namespace}}}Document"
    qualified = [document, *(f"{{{message.namespace}}}{tag}" for tag in tags)]
    complete = False
    for element in _events(message.path, events=("end",), tags=qualified, schema=schema):
        if element.tag == document:
            complete = True
        else:
            yield element
    if not complete:  # not left to the library alone: with some options it has let a broken file pass
        raise unreadable(BankRule.XML, line=0)


def _events(
    path: Path, *, events: tuple[str, ...], tags: list[str] | None, schema: etree.XMLSchema | None
) -> Generator[Element, None, None]:
    # Where a schema is given, the library reports no errors at all if it may not resolve entities. Nothing is lost by
    # letting it: `identify` has refused document types by then, and without one there are no entities.
    resolve: Any = False if schema is None else "internal"
    with path.open("rb") as file:
        parser = etree.iterparse(
            file,
            events=events,
            tag=tags,
            schema=schema,
            resolve_entities=resolve,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            for _, element in parser:
                yield element
                if "end" in events:
                    _let_go(element)
        except etree.XMLSyntaxError as error:
            raise _syntax(parser, error) from None


def line_of(element: Element) -> int:
    """The line of the file on which the element begins."""
    line: Any = element.sourceline
    return int(line or 0)


def _let_go(element: Any) -> None:
    # The element itself must stay: the parser may still be adding text behind it. Its elder sibling is finished.
    element.clear(keep_tail=True)
    elder = element.getprevious()
    if elder is not None and elder.tag == element.tag:
        parent = element.getparent()
        if parent is not None:
            parent.remove(elder)


def _syntax(parser: Any, error: etree.XMLSyntaxError) -> BankFileUnreadable:
    # The library's sentences repeat values of the file, which may be personal: only line and kind are taken over, and
    # from the parser's own log, since the error's goes on from the files before.
    entries = [entry for entry in parser.error_log if entry.domain_name == "SCHEMASV"]
    faults = tuple(
        FieldFault(pointer="", code=BankRule.SCHEMA, params={"line": entry.line, "type": entry.type_name})
        for entry in entries[:MOST_FAULTS]
    ) or (FieldFault(pointer="", code=BankRule.XML, params={"line": error.lineno or 0}),)
    return BankFileUnreadable(detail=faults[0].code, faults=faults)


def unreadable(rule: BankRule, pointer: str = "", **params: str | int) -> BankFileUnreadable:
    """The error for a file that breaks one rule as a whole."""
    return BankFileUnreadable(detail=rule.value, faults=(FieldFault(pointer=pointer, code=rule, params=params),))


class Reader:
    """Reads the texts at several paths below an element in one call; a path that is not there reads as empty."""

    def __init__(self, namespace: str, *paths: str) -> None:
        steps = ["/".join(step if step[0] in "@." else f"n:{step}" for step in path.split("/")) for path in paths]
        self._count = len(paths)
        self._names = {"n": namespace}
        self._each = steps
        joined = f",'{_BETWEEN}',".join(steps)
        expression = f"concat({joined},'')"
        self._all = etree.XPath(expression, namespaces=self._names, smart_strings=False)

    def read(self, element: Element) -> list[str]:
        """The values in the order of the paths, without spaces around them."""
        values = str(self._all(element)).split(_BETWEEN)
        if len(values) != self._count:
            values = [str(element.xpath(f"string({step})", namespaces=self._names)) for step in self._each]
        return [value.strip() for value in values]
