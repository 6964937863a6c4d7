"""Says where a file breaks its schema. Takes the whole file into memory, so it is asked only about files that do."""

from pathlib import Path
from typing import Any

from lxml import etree

from activities.gateways.bank.rules import MOST_FAULTS, BankRule
from models.errors import FieldFault

_REPEATED = frozenset({"PmtInf", "DrctDbtTxInf", "CdtTrfTxInf"})


def schema_faults(path: Path, *, schema: etree.XMLSchema) -> tuple[FieldFault, ...]:
    """Every place that the schema does not allow: pointer, line and kind of fault, never the value.

    A file that breaks off besides is that one fault.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        document = etree.parse(str(path), parser)
    except etree.XMLSyntaxError as error:
        return (FieldFault(pointer="", code=BankRule.XML, params={"line": error.lineno or 0}),)
    if schema.validate(document):
        return ()
    log: Any = schema.error_log
    return tuple(
        FieldFault(
            pointer=_pointer(document, entry.path),
            code=BankRule.SCHEMA,
            params={"line": entry.line, "type": entry.type_name},
        )
        for entry in list(log)[:MOST_FAULTS]
    )


def _pointer(document: Any, place: str | None) -> str:
    # The library spells elements with a namespace as "*": their names are looked up, counted from 0 among their like.
    found = document.xpath(place) if place else []
    steps: list[str] = []
    element = found[0] if found else None
    while element is not None and element.getparent() is not None:
        alike = [other for other in element.getparent() if other.tag == element.tag]
        name = etree.QName(element).localname
        steps.append(f"{name}/{alike.index(element)}" if name in _REPEATED else name)
        element = element.getparent()
    return "".join(f"/{step}" for step in reversed(steps))
