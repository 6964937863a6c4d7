"""Which reports an incident asks for, and to the second when one is late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.incident_clocks import (
    BY_CODE,
    CLOCKS,
    HARM_AVERTED,
    DataClass,
    Grade,
    IncidentFacts,
    IncidentKind,
    Verified,
    clocks_for,
    due_at,
    is_late,
    reason_fits,
)

FOUND = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def facts(
    kind: IncidentKind = IncidentKind.LEAK,
    grade: Grade = Grade.LARGER,
    *,
    data: frozenset[DataClass] = frozenset({DataClass.ACCOUNT}),
    persons: int = 12,
    cii: bool = False,
    public: bool = False,
) -> IncidentFacts:
    return IncidentFacts(kind=kind, grade=grade, data_classes=data, persons=persons, cii=cii, public_interest=public)


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("pboc-brief", timedelta(minutes=30)),
        ("pboc-report", timedelta(hours=2)),
        ("nfra-report", timedelta(hours=2)),
        ("nfra-written", timedelta(hours=24)),
        ("cac", timedelta(hours=4)),
        ("cii", timedelta(hours=1)),
        ("ndsr-10", timedelta(hours=24)),
        ("pipl-57-persons", timedelta(hours=72)),
    ],
)
def test_the_last_second_is_in_time_and_the_next_one_late(code: str, limit: timedelta) -> None:
    due = due_at(BY_CODE[code], discovered_at=FOUND)
    assert not is_late(due=due, reported_at=FOUND + limit)
    assert is_late(due=due, reported_at=FOUND + limit + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        (facts(), ["pboc-brief", "pboc-report", "nfra-report", "cac", "nfra-written", "pipl-57-persons"]),
        (
            facts(cii=True),
            [
                "pboc-brief",
                "cii",
                "pboc-report",
                "nfra-report",
                "nfra-written",
                "pipl-57-authority",
                "pipl-57-persons",
            ],
        ),
        (facts(grade=Grade.GENERAL), ["nfra-report", "nfra-written", "pipl-57-authority", "pipl-57-persons"]),
        (facts(IncidentKind.OUTAGE, data=frozenset(), persons=0), ["pboc-brief", "pboc-report", "cac"]),
        (facts(IncidentKind.OUTAGE, Grade.GENERAL, data=frozenset(), persons=0), []),
        (facts(IncidentKind.FLAW, Grade.GENERAL, data=frozenset(), persons=0, public=True), ["ndsr-10"]),
        (facts(IncidentKind.FLAW, Grade.GENERAL, data=frozenset(), persons=0), []),
        (
            facts(grade=Grade.GENERAL, data=frozenset({DataClass.BUSINESS}), persons=0),
            ["nfra-report", "nfra-written"],
        ),
    ],
)
def test_what_happened_says_who_is_told_the_first_to_end_before_the_others(
    case: IncidentFacts, codes: list[str]
) -> None:
    assert [clock.code for clock in clocks_for(case)] == codes


def test_what_was_seen_in_a_draft_or_from_memory_is_provisional_and_nothing_else() -> None:
    assert {clock.code for clock in CLOCKS if clock.provisional} == {
        "pboc-brief",
        "pboc-report",
        "nfra-report",
        "nfra-written",
    }
    assert BY_CODE["pipl-57-persons"].verified is Verified.POLICY


def test_that_harm_was_averted_excuses_from_telling_the_persons_and_from_nothing_else() -> None:
    assert [clock.code for clock in CLOCKS if reason_fits(clock.code, HARM_AVERTED)] == ["pipl-57-persons"]
    assert not reason_fits("cac", "too-much-work")


_FACTS = st.builds(
    IncidentFacts,
    kind=st.sampled_from(IncidentKind),
    grade=st.sampled_from(Grade),
    data_classes=st.frozensets(st.sampled_from(DataClass)),
    persons=st.integers(0, 10**6),
    cii=st.booleans(),
    public_interest=st.booleans(),
)


@given(_FACTS)
def test_a_graver_incident_never_asks_for_fewer_authorities(case: IncidentFacts) -> None:
    def told(grade: Grade) -> set[str]:
        graver = IncidentFacts(
            kind=case.kind,
            grade=grade,
            data_classes=case.data_classes,
            persons=case.persons,
            cii=case.cii,
            public_interest=case.public_interest,
        )
        return {clock.authority.value for clock in clocks_for(graver)}

    assert told(Grade.GENERAL) <= told(Grade.LARGER) == told(Grade.EXTREME)
