"""Shapes of the business date and its daily runs (会计日期、日终)."""

from datetime import date, datetime
from typing import Self

from api.bodies import Answer, Body
from models.domain.daily import DayStep
from models.tables.daily import DailyRun


class RunDatesBody(Body):
    """Up to and with which business date the runs shall go."""

    until: date


class OpeningBody(Body):
    """The first business date of an institution."""

    business_date: date


class StepFigures(Answer):
    """What a step has done so far: counts and minor units by name."""

    step: DayStep
    finished: bool
    figures: dict[str, int]


class DailyRunAnswer(Answer):
    """One run over one business date; its steps in order, as far as they have begun."""

    business_date: date
    state: str
    started_at: datetime
    ended_at: datetime | None
    steps: tuple[StepFigures, ...]

    @classmethod
    def of(cls, run: DailyRun) -> Self:
        """From the row."""
        finished = run.figures.get("finished", [])
        return cls(
            business_date=run.business_date,
            state=run.state,
            started_at=run.started_at,
            ended_at=run.ended_at,
            steps=tuple(
                StepFigures(step=step, finished=step.value in finished, figures=run.figures[step.value])
                for step in DayStep
                if step.value in run.figures
            ),
        )


class BusinessDatesAnswer(Answer):
    """The open business date (None before the books were opened), the newest runs, and the exception queue's length."""

    today: date | None
    open_exceptions: int
    runs: tuple[DailyRunAnswer, ...]


class RunProgress(Answer):
    """How far the daily runs are: the open business date, and the steps of its run that are done (None: no run)."""

    today: date | None
    open_exceptions: int
    steps_done: tuple[DayStep, ...] | None
