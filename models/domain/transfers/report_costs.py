"""Cost, benefit and paper saved (成本效益、节约用纸) of a job, from recorded volumes and times. Pure; integers only.

Each line shows its working: quantity × unit ÷ per, rounded half up to the minor unit. A figure that the plan does not
give is assumed, and the report says so beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.domain.transfers.report import CostFact, CostLine, CostParameter

_MINUTES: Final = 60
_SECONDS: Final = 3600
_BP: Final = 10_000
GRAMS_A_SHEET: Final = 5  # A4 is a sixteenth of a square metre of 80 g

# What is assumed where the plan says nothing: minutes, minor units, sheets.
ASSUMED: Final[Mapping[str, int]] = {
    "manualMinutesPerRecord": 8,  # take over one record by hand: read, key in, check, file
    "decisionMinutes": 4,  # decide one record task
    "staffMinorPerHour": 8_000,
    "machineMinorPerHour": 600,
    "projectMinor": 0,  # what the plan's cost estimate says was spent beside the job
    "postageMinor": 120,  # a domestic letter
    "sheetMinor": 10,
    "sheetsPerLetter": 1,
    "sheetsPerRecord": 2,  # the paper form of a change and its copy
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Volumes:
    """What is recorded.

    Attributes:
        records: rows that were read.
        decisions: record and step tasks that persons decided.
        machine_seconds: the stages' own time, without waiting for persons.
        told: customers who were told without a letter of paper.
        letters: customers who were written to on paper.
    """

    records: int
    decisions: int
    machine_seconds: int
    told: int
    letters: int


def cost_of(volumes: Volumes, plan: Mapping[str, object], *, currency: str = "CNY") -> CostFact:
    """Both sides of the calculation, and what comes out."""
    parameters = tuple(_parameter(code, plan) for code in ASSUMED)
    value = {each.code: each.value for each in parameters}
    hourly, letter = value["staffMinorPerHour"], value["postageMinor"] + value["sheetsPerLetter"] * value["sheetMinor"]
    by_hand = (
        _line("labour", volumes.records * value["manualMinutesPerRecord"], hourly, per=_MINUTES),
        _line("letters", volumes.told + volumes.letters, letter),
        _line("forms", volumes.records * value["sheetsPerRecord"], value["sheetMinor"]),
    )
    actual = (
        _line("decisions", volumes.decisions * value["decisionMinutes"], hourly, per=_MINUTES),
        _line("machine", volumes.machine_seconds, value["machineMinorPerHour"], per=_SECONDS),
        _line("letters", volumes.letters, letter),
        _line("project", 1, value["projectMinor"]),
    )
    before, after = (sum(each.amount_minor for each in lines) for lines in (by_hand, actual))
    sheets = volumes.told * value["sheetsPerLetter"] + volumes.records * value["sheetsPerRecord"]
    return CostFact(
        currency=currency,
        parameters=parameters,
        by_hand=by_hand,
        actual=actual,
        by_hand_minor=before,
        actual_minor=after,
        benefit_minor=before - after,
        roi_bp=_half_up((before - after) * _BP, after) if after > 0 else None,
        sheets_saved=sheets,
        grams_saved=sheets * GRAMS_A_SHEET,
    )


def _parameter(code: str, plan: Mapping[str, object]) -> CostParameter:
    given = plan.get(code)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return CostParameter(code=code, value=given, source="plan")
    return CostParameter(code=code, value=ASSUMED[code], source="assumed")


def _line(code: str, quantity: int, unit_minor: int, *, per: int = 1) -> CostLine:
    amount = _half_up(quantity * unit_minor, per)
    return CostLine(code=code, quantity=quantity, unit_minor=unit_minor, per=per, amount_minor=amount)


def _half_up(value: int, by: int) -> int:
    """Division rounded half away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value) + by) // (2 * by))
