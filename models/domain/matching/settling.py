"""What a row comes to by the pairs that it is the later part of. The one place that says so, whoever decided a pair."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from models.domain.matching.levels import Level
from models.domain.matching.policy import Veto
from models.domain.transfers.states import MatchVerdict, RowOutcome

MATCH_REVIEW: Final = "match-review"  # why a row is held
ROW_PREFIX: Final = "row:"
_ONE_PERSON: Final = frozenset({MatchVerdict.AUTO, MatchVerdict.SAME})


class Settled(NamedTuple):
    """Where a row ends.

    Attributes:
        target_record: the target's record that it is merged into.
        same_row: the earlier row of the job that is the same person.
    """

    outcome: RowOutcome
    reason: str | None = None
    target_record: str | None = None
    same_row: int | None = None


class Stands(NamedTuple):
    """A pair as it stands: the other record, the score in milli-bits, the verdict."""

    other: str
    score: int
    verdict: MatchVerdict


def row_name(number: int) -> str:
    """How a row is called among records."""
    return f"{ROW_PREFIX}{number}"


def row_number(name: str) -> int | None:
    """The number of a row's name; None of a record of the target's book."""
    return int(name.removeprefix(ROW_PREFIX)) if name.startswith(ROW_PREFIX) else None


def settle(pairs: Iterable[Stands]) -> Settled:
    """Merged if any pair is one person, into the likeliest; held while somebody is asked; else accepted."""
    known = sorted(pairs, key=lambda pair: (-pair.score, pair.other))
    one_person = [pair.other for pair in known if pair.verdict in _ONE_PERSON]
    if one_person:
        records = [other for other in one_person if row_number(other) is None]
        rows = [number for other in one_person if (number := row_number(other)) is not None]
        return Settled(RowOutcome.MERGED, None, records[0] if records else None, min(rows) if rows else None)
    if any(pair.verdict is MatchVerdict.REVIEW for pair in known):
        return Settled(RowOutcome.HELD, MATCH_REVIEW)
    return Settled(RowOutcome.ACCEPTED)


def is_proven(identity: str) -> bool:
    """Whether a pair's automatic merge rests on a proven number, by the level of its identity."""
    return identity == Level.EQUAL.value


def with_ambiguity(vetoes: Collection[str]) -> list[str]:
    """The vetoes of a pair that turned out to fit several persons."""
    return [*dict.fromkeys((*vetoes, Veto.AMBIGUOUS.value))]
