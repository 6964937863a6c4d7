"""From tokens to pairs: learn the job's weights, score candidates, apply the policy, settle the rows.

The step walks in three parts, told apart by where it goes on: `""` learns, a number scores the rows behind it, `settle`
and a record behind it looks for records that several rows would be merged into.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from activities.transfers.match_work import MatchWork
from activities.transfers.matching_search import Search, Searches
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.transfers import ChunkDone
from models.domain.matching.engine import Scored, score_pair
from models.domain.matching.learning import learn
from models.domain.matching.levels import Level, compare, compare_identities
from models.domain.matching.person import Person
from models.domain.matching.policy import Ground, Judgement, Veto
from models.domain.matching.settling import row_name, row_number
from models.domain.matching.weights import Weights
from models.domain.tokens import new_token
from models.domain.transfers.states import MatchVerdict
from models.operations.transfers.match_writing import (
    NewPair,
    demote_ambiguous,
    figures_of,
    keep_pairs,
    note_figures,
    open_reviews,
    pair_id,
    settle_rows,
    targets_of_many,
)
from models.queries.transfers.match_candidates import numbers_to_match

CHUNK: Final = 300  # rows with candidates of a transaction
_ROWS: Final = 2_000  # rows of a transaction, with candidates or without
SAMPLE: Final = 2_000  # rows from whose candidates the weights are learnt
_SETTLE: Final = "settle"
_AUTO: Final = MatchVerdict.AUTO


def match(work: MatchWork, searches: Searches, *, after: str) -> ChunkDone:
    """One turn of the walk."""
    if after == "":
        _learn(work, searches.of(work, anew=True))
        after = "0"
    while True:
        if work.present().paused_at is not None:
            searches.forget(work.job.token)
            return ChunkDone(after=after, paused=True)
        following = _settle(work, after) if after.startswith(_SETTLE) else _score(work, searches.of(work), int(after))
        if following is None or following == _SETTLE:
            searches.forget(work.job.token)
        if following is None:
            return ChunkDone(after=None)
        after = following
        work.rest()
        if work.turn_is_over:
            return ChunkDone(after=after)


# Learning -------------------------------------------------------------------------------------------------------------


def _learn(work: MatchWork, search: Search) -> None:
    """Weights from the candidates of rows spread over the whole job. Repeated, it learns the same."""
    token = work.job.token
    with work.database.read() as session:
        rows = numbers_to_match(session, token, after=0)
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    counts: Counter[Any] = Counter()
    opened = 0
    for first in range(0, len(sample), CHUNK):
        pairs = {number: search.others(number) for number in sample[first : first + CHUNK]}
        with work.database.read() as session:
            people = work.people(session, _names(pairs))
        opened += len(people)
        counts.update(
            compare(people[row_name(row)], people[other])
            for row, others in pairs.items()
            for other in others
            if row_name(row) in people and other in people
        )
        work.rest()
    known = figures_of(work.present())
    figures = {
        "sampleSeed": known.get("sampleSeed") or new_token("sed"),  # of the audit sample; drawn once
        "weights": learn(counts).as_record(),
        "records": search.paired.records,
        "crowdedBlocks": {
            kind.name.lower().replace("_", "-"): count for kind, count in sorted(search.paired.crowded.items())
        },
        "openedToLearn": opened,
        "scoredTo": 0,
        "opened": 0,
        "compared": 0,
        "unlike": 0,
    }
    with unit_of_work(work.database, work.deed("transfer.weights-learnt", **figures)) as unit:
        note_figures(unit.session, token, figures)


# Scoring --------------------------------------------------------------------------------------------------------------


def _score(work: MatchWork, search: Search, after: int) -> str | None:
    token, figures = work.job.token, figures_of(work.present())
    with work.database.read() as session:
        numbers, found = _next(numbers_to_match(session, token, after=after, limit=_ROWS), search)
        if not numbers:
            return _SETTLE
        people = work.people(session, _names(found))
    weights, pairs, unlike, compared = Weights.of_record(figures["weights"]), [], 0, 0
    records = max(int(figures["records"]), 1)
    for row in sorted(found):
        scored = _scored(row, search, people, weights, records)
        compared += len(scored)
        kept = _kept(row, scored, people)
        unlike += len(scored) - len(kept)
        pairs += kept
    _write(work, numbers, pairs, {"opened": len(people), "compared": compared, "unlike": unlike})
    return str(numbers[-1])


def _next(numbers: Sequence[int], search: Search) -> tuple[Sequence[int], dict[int, list[str]]]:
    """As many of these rows as have not too many candidates among them, and whom each is compared with."""
    found: dict[int, list[str]] = {}
    for place, number in enumerate(numbers):
        others = search.others(number)
        if others:
            found[number] = others
        if len(found) == CHUNK:
            return numbers[: place + 1], found
    return numbers, found


def _scored(
    row: int, search: Search, people: dict[str, Person], weights: Weights, records: int
) -> list[tuple[str, Scored]]:
    mine = people.get(row_name(row))
    if mine is None:
        return []
    share = search.bearers_of_name(row) / records
    return [
        (other, score_pair(mine, people[other], weights=weights, shared=shared, name_share=share))
        for other, shared in search.pairs(row)
        if other in people
    ]


def _kept(row: int, scored: Sequence[tuple[str, Scored]], people: dict[str, Person]) -> list[NewPair]:
    """Pairs worth keeping: merged, to be looked at, or vetoed. Who fits two different persons is merged with none."""
    judged = {other: each.judgement for other, each in scored}
    autos = [other for other, judgement in judged.items() if judgement.verdict is _AUTO]
    for other in autos:
        if judged[other].ground is not Ground.PROVEN_NUMBER and _contradicts(other, autos, people):
            judged[other] = Judgement(MatchVerdict.REVIEW, Ground.VETO, (Veto.AMBIGUOUS,))
    records = [other for other in autos if judged[other].verdict is _AUTO and row_number(other) is None]
    kept = []
    for other, each in scored:
        judgement = judged[other]
        if judgement.verdict is MatchVerdict.DIFFERENT and not judgement.vetoes:
            continue
        if judgement.verdict is MatchVerdict.REVIEW and records and not judgement.vetoes:
            continue  # the person is found already; nobody need be asked who else it may be
        kept.append(
            NewPair(
                row=row,
                other=other,
                score=each.score,
                weights=each.weights_as_record(),
                vetoes=tuple(judgement.vetoes),
                verdict=judgement.verdict,
            )
        )
    return kept


def _contradicts(other: str, autos: Sequence[str], people: dict[str, Person]) -> bool:
    mine = people[other]
    for that in autos:
        if that == other:
            continue
        theirs = people[that]
        if compare_identities(mine.identity, theirs.identity) is Level.CONFLICT:
            return True
        if compare(mine, theirs).sex is Level.DIFFERENT:
            return True
    return False


def _write(work: MatchWork, numbers: Sequence[int], pairs: list[NewPair], done: dict[str, int]) -> None:
    verdicts = Counter(pair.verdict.value for pair in pairs)
    deed = work.deed("transfer.rows-matched", rows=len(numbers), to=numbers[-1], **done, verdicts=dict(verdicts))
    with unit_of_work(work.database, deed) as unit:
        session, job = unit.session, work.job
        known = note_figures(session, job.token, {})
        if int(known["scoredTo"]) >= numbers[-1]:
            raise Unchanged
        now = work.clock()
        deed.facts["new"] = keep_pairs(session, job, pairs)
        ids = [pair_id(job.token, pair.row, pair.other) for pair in pairs if pair.verdict is MatchVerdict.REVIEW]
        deed.facts["tasks"] = open_reviews(session, job, ids, now=now)
        deed.facts["outcomes"] = settle_rows(session, job.token, numbers)
        figures = {name: int(known[name]) + count for name, count in done.items()}
        note_figures(session, job.token, figures | {"scoredTo": numbers[-1]})


def _names(found: Mapping[int, Sequence[str]]) -> set[str]:
    """Rows that have a candidate, and the candidates: nobody else is opened."""
    rows = {row_name(row) for row, others in found.items() if others}
    return rows | {other for others in found.values() for other in others}


# Settling -------------------------------------------------------------------------------------------------------------


def _settle(work: MatchWork, after: str) -> str | None:
    token = work.job.token
    with work.database.read() as session:
        targets = targets_of_many(session, token, after=after.removeprefix(_SETTLE).removeprefix("/"), limit=CHUNK)
    if not targets:
        return None
    with unit_of_work(work.database, work.deed("transfer.matches-settled", records=len(targets))) as unit:
        now, rows = work.clock(), set[int]()
        for other in targets:
            rows |= demote_ambiguous(unit.session, work.job, other, now=now)
        if not rows:
            raise Unchanged
        unit.deed.facts["ambiguous"] = len(rows)
        unit.deed.facts["outcomes"] = settle_rows(unit.session, token, rows)
    return f"{_SETTLE}/{targets[-1]}"
