"""The decision table of company transfers: class by event, and what each class asks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.rules.transfers.classify import Consent, classes_of, duties_of
from models.domain.transfers_words import TRANSFER_EVENTS, TRANSFERRED

TABLE = {
    ("customer-company", "share-transfer"): "A",
    ("institution", "share-transfer"): "B",
    ("institution", "merger"): "C",
    ("institution", "division"): "D",
    ("portfolio", "asset-sale"): "E",
    ("institution", "dissolution"): "F",
    ("institution", "bankruptcy"): "F",
}


@pytest.mark.parametrize(("what", "event"), [*itertools.product((*TRANSFERRED, "brand"), (*TRANSFER_EVENTS, "gift"))])
@pytest.mark.parametrize("abroad", [False, True])
def test_what_and_event_make_the_class_and_anything_else_makes_none(what: str, event: str, abroad: bool) -> None:
    found = classes_of({"transferred": what, "transfer_event": event, "recipient_abroad": abroad})
    expected = TABLE.get((what, event))
    assert found == (() if expected is None else (expected, "G") if abroad else (expected,))


@pytest.mark.parametrize(("classes", "tell", "consent", "handler_changes"), [
    (("A",), False, Consent.NONE, False),
    (("B",), False, Consent.NONE, False),
    (("C",), True, Consent.NEW_PURPOSE, True),
    (("D",), True, Consent.NEW_PURPOSE, True),
    (("E",), True, Consent.SEPARATE, True),
    (("F",), True, Consent.NEW_PURPOSE, True),
    (("B", "G"), True, Consent.SEPARATE, False),
    (("C", "G"), True, Consent.SEPARATE, True),
])  # fmt: skip
def test_what_a_class_asks(classes: tuple[str, ...], tell: bool, consent: Consent, handler_changes: bool) -> None:
    duties = duties_of(classes)
    assert (duties.tell, duties.consent, duties.handler_changes) == (tell, consent, handler_changes)


@pytest.mark.parametrize("classes", [(), ("H",), ("C", "H")])
def test_without_a_known_class_there_are_no_duties_to_go_by(classes: tuple[str, ...]) -> None:
    with pytest.raises(LookupError):
        duties_of(classes)


@given(st.sampled_from(sorted(set(TABLE.values()))))
def test_a_recipient_abroad_never_asks_for_less(found: str) -> None:
    strictness = list(Consent)
    at_home, abroad = duties_of((found,)), duties_of((found, "G"))
    assert strictness.index(abroad.consent) >= strictness.index(at_home.consent)
    assert abroad.tell >= at_home.tell
