"""What the contact log shows: calls of a day, and when a debtor counts as lost."""

from datetime import date

import pytest

from models.domain.application import ContactChannel, ContactResult
from models.domain.collection_policy import DEFAULT_POLICY, CollectionPolicy
from models.domain.contact_rules import Attempt, dials_on, effective_calls_on, lost_by
from models.domain.rule_words import LostBy

IN_VAIN, REACHED = ContactResult.NOT_REACHED, ContactResult.REACHED


def called(*made: tuple[int, ContactResult]) -> list[Attempt]:
    return [Attempt(day=date(2026, 11, day), channel=ContactChannel.PHONE, result=result) for day, result in made]


def test_dials_count_answered_or_not_and_effective_calls_only_if_the_person_answered() -> None:
    log = called((23, IN_VAIN), (23, REACHED), (23, ContactResult.WRONG_PERSON), (24, REACHED))
    log.append(Attempt(day=date(2026, 11, 23), channel=ContactChannel.LETTER, result=ContactResult.INFORMED))
    assert dials_on(log, date(2026, 11, 23)) == 3
    assert effective_calls_on(log, date(2026, 11, 23)) == 1


@pytest.mark.parametrize(
    ("log", "lost"),
    [
        (called((23, IN_VAIN), (23, IN_VAIN), (23, IN_VAIN), (24, IN_VAIN)), LostBy.THREE_DIALS_NEXT_DAY),
        (called((23, IN_VAIN), (24, IN_VAIN), (25, IN_VAIN)), LostBy.THREE_DAYS),
        (called((23, REACHED), (24, ContactResult.NUMBER_INVALID)), LostBy.NUMBER_INVALID),
        (called((23, ContactResult.NUMBER_INVALID), (24, REACHED)), LostBy.NOT_LOST),
        (called((23, IN_VAIN), (23, IN_VAIN), (23, IN_VAIN)), LostBy.NOT_LOST),  # not on the next day yet
        (called((23, IN_VAIN), (23, IN_VAIN), (24, IN_VAIN)), LostBy.NOT_LOST),
        (called((23, IN_VAIN), (24, IN_VAIN), (26, IN_VAIN)), LostBy.NOT_LOST),  # not in a row
        (called((23, IN_VAIN), (24, IN_VAIN), (25, REACHED), (25, IN_VAIN)), LostBy.NOT_LOST),
        (called((23, IN_VAIN), (24, IN_VAIN), (25, IN_VAIN), (26, REACHED)), LostBy.NOT_LOST),
        ([], LostBy.NOT_LOST),
    ],
    ids=[
        "three-dials-and-next-day",
        "three-days",
        "number-invalid",
        "another-number-works",
        "one-day",
        "two-and-one",
        "with-a-gap",
        "answered-between",
        "answered-after",
        "never-called",
    ],
)
def test_lost_is_who_cannot_be_reached_as_the_log_proves(log: list[Attempt], lost: LostBy) -> None:
    assert lost_by(log) is lost


def test_a_banned_phrase_is_found_though_blanks_stand_in_it() -> None:
    assert DEFAULT_POLICY.banned_in("再不还就 告诉你 单位")
    assert not DEFAULT_POLICY.banned_in("请于月底前还款")
    assert not DEFAULT_POLICY.banned_in(None)


def test_a_policy_comes_back_as_it_was_kept() -> None:
    assert CollectionPolicy.from_record(DEFAULT_POLICY.as_record()) == DEFAULT_POLICY
