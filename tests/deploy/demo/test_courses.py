"""What the agreements of the demo live through: courses that can come to their ends within thirteen months."""

from datetime import date, timedelta

import pytest

from deploy.demo.courses import BY_TRANSFER, COURSES, KEPT_ON, Course, Deed, courses
from deploy.demo.months import last_date
from deploy.demo.plans import IN_SERVICE, PAPER, PLANS
from models.domain.servicing.missed import DEFAULT_LADDER
from models.domain.states import CaseOutcome, TaskType
from tests.support.daybook import month_after

START = date(2026, 11, 22)
_LIVED = [course for course, count in COURSES for _ in range(count)]


def test_there_are_twenty_lives_and_half_of_them_come_to_an_end() -> None:
    assert len(_LIVED) >= 20
    assert sum(course.end != IN_SERVICE for course in _LIVED) >= 10
    assert {course.end for course in _LIVED} >= {CaseOutcome.COMPLETED, CaseOutcome.BROKEN}
    assert {act.deed for course in _LIVED for act in course.acts} == set(Deed)


@pytest.mark.parametrize("course", [course for course, _ in COURSES], ids=lambda course: course.name)
def test_a_course_fits_into_the_months(course: Course) -> None:
    assert course.months is not None
    last_due = month_after(START, course.months)
    assert last_due + timedelta(days=20) < last_date(START), "retries of the last row go on for twenty days"
    assert all(1 <= act.row <= course.months and act.days >= 0 for act in course.acts)
    if not course.by_debit:
        assert {act.row for act in course.acts if act.deed is Deed.PAY} == set(range(1, course.months + 1))
        assert not course.fates


@pytest.mark.parametrize(
    "course", [course for course, _ in COURSES if course.end == CaseOutcome.BROKEN], ids=lambda course: course.name
)
def test_what_breaks_is_overdue_long_enough(course: Course) -> None:
    failing = next(no for no, fate in enumerate(course.fates, start=1) if fate.reason is not None)
    overdue = month_after(START, failing) + timedelta(days=DEFAULT_LADDER.rungs[-1].days)
    assert overdue < last_date(START)
    assert not any(act.deed is Deed.PAY for act in course.acts)


def test_who_signs_on_paper_pays_by_transfer_and_everybody_has_a_course() -> None:
    on_paper = [
        PAPER in plan.answers[TaskType.SIGNING] for plan, count in PLANS if plan.end == IN_SERVICE for _ in range(count)
    ]
    lived = list(courses(on_paper))
    assert len(lived) == len(on_paper)
    assert all(course is BY_TRANSFER for course, paper in zip(lived, on_paper, strict=True) if paper)
    assert set(map(id, lived)) >= {id(course) for course, _ in COURSES}
    assert any(course is KEPT_ON for course in lived)
    assert KEPT_ON.months is not None
    assert month_after(START, KEPT_ON.months) > last_date(START)


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 11, 22), date(2027, 12, 22)), (date(2026, 12, 31), date(2028, 1, 28))]
)
def test_the_months_end_thirteen_months_later(first: date, last: date) -> None:
    assert last_date(first) == last
