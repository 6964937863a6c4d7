"""Requests and answers about pairs of records that may be one person's (疑似重复)."""

from datetime import datetime
from typing import Literal

from api.bodies import Answer, Body

UnmergeReason = Literal["wrong-person", "customer-objected", "audit-finding", "slip-of-the-pen"]


class UnmergeBody(Body):
    """Why a merge is taken apart."""

    reason_code: UnmergeReason


class MatchCheckBody(Body):
    """Whether an automatic merge of the audit sample is right."""

    right: bool


class MatchAnswer(Answer):
    """A pair of a job: its score in thousandths of a bit, its verdict, what bars a merge, who decided."""

    id: str
    row: int
    other: str
    score_milli: int
    verdict: str
    verdict_text: str
    vetoes: list[str]
    two_persons: bool
    task_id: str | None
    reason_code: str | None
    decided_by: str | None
    second_by: str | None
    decided_at: datetime | None


class MatchPage(Answer):
    """Pairs by row, how many there are by verdict, and what comes next."""

    items: list[MatchAnswer]
    counts: dict[str, int]
    next_after: str | None


class MatchFieldAnswer(Answer):
    """One step of the waterfall: how far the two agree in a field, what that is worth, and both values, masked."""

    field: str
    field_text: str
    level: str
    level_text: str
    milli_bits: int
    one: str | None
    other: str | None


class MatchDetailAnswer(Answer):
    """A pair, masked, field by field; the weights add up to the score. `gone`: the other record was erased."""

    pair: MatchAnswer
    veto_texts: list[str]
    fields: list[MatchFieldAnswer]
    gone: bool


class MatchSampleAnswer(Answer):
    """The audit sample of automatic merges, and between which bounds their precision lies (95 %, in millionths)."""

    seed: str
    autos: int
    sampled: list[str]
    checked: int
    right: int
    precision_low_ppm: int | None
    precision_high_ppm: int | None
