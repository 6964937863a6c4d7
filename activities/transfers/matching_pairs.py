"""From tokens to pairs: learn the job's weights, score candidates, apply the policy, settle the rows.

The step walks in three parts, told apart by where it goes on: `""` learns, a number scores the rows behind it, `settle`
and a record behind it looks for records that several rows would be merged into.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlmodel import col, select

from activities.transfers.match_work import MatchWork
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
from models.queries.transfers.match_candidates import (
    Found,
    candidates,
    crowded_blocks,
    records_with_tokens,
    rows_to_match,
)
from models.tables.transfer_scopes import in_question
from models.tables.transfers import TransferRow

CHUNK: Final = 300  # rows of a transaction
SAMPLE: Final = 2_000  # rows from whose candidates the weights are learnt
_SETTLE: Final = "settle"
_AUTO: Final = MatchVerdict.AUTO


def match(work: MatchWork, *, after: str) -> ChunkDone:
    """One turn of the walk."""
    if after == "":
        _learn(work)
        after = "0"
    while True:
        if work.present().paused_at is not None:
            return ChunkDone(after=after, paused=True)
        following = _settle(work, after) if after.startswith(_SETTLE) else _score(work, int(after))
        if following is None:
            return ChunkDone(after=None)
        after = following
        work.rest()
        if work.turn_is_over:
            return ChunkDone(after=after)


# Learning -------------------------------------------------------------------------------------------------------------


def _learn(work: MatchWork) -> None:
    """Weights from the candidates of rows spread over the whole job. Repeated, it learns the same."""
    token = work.job.token
    with work.database.read() as session:
        rows = session.exec(
            select(TransferRow.number)
            .where(col(TransferRow.job) == token, *in_question())
            .order_by(col(TransferRow.number))
        ).all()
        sample = rows[:: max(1, len(rows) // SAMPLE)]
        crowded, records = crowded_blocks(session, token), records_with_tokens(session, token)
    counts: Counter[Any] = Counter()
    opened = 0
    for first in range(0, len(sample), CHUNK):
        with work.database.read() as session:
            found = candidates(session, token, [row_name(number) for number in sample[first : first + CHUNK]])
            people = work.people(session, _names(found))
        opened += len(people)
        counts.update(
            compare(people[row_name(row)], people[other])
            for row, others in found.pairs.items()
            for other in others
            if row_name(row) in people and other in people
        )
        work.rest()
    known = figures_of(work.present())
    figures = {
        "sampleSeed": known.get("sampleSeed") or new_token("sed"),  # of the audit sample; drawn once
        "weights": learn(counts).as_record(),
        "records": records,
        "crowdedBlocks": crowded,
        "openedToLearn": opened,
        "scoredTo": 0,
        "opened": 0,
        "compared": 0,
        "unlike": 0,
    }
    with unit_of_work(work.database, work.deed("transfer.weights-learnt", **figures)) as unit:
        note_figures(unit.session, token, figures)


# Scoring --------------------------------------------------------------------------------------------------------------


def _score(work: MatchWork, after: int) -> str | None:
    token, figures = work.job.token, figures_of(work.present())
    with work.database.read() as session:
        numbers = [row.number for row in rows_to_match(session, token, after=after, limit=CHUNK)]
        if not numbers:
            return _SETTLE
        found = candidates(session, token, [row_name(number) for number in numbers])
        people = work.people(session, _names(found))
    weights, pairs, unlike, compared = Weights.of_record(figures["weights"]), [], 0, 0
    for row in sorted(found.pairs):
        scored = _scored(row, found, people, weights, max(int(figures["records"]), 1))
        compared += len(scored)
        kept = _kept(row, scored, people)
        unlike += len(scored) - len(kept)
        pairs += kept
    _write(work, numbers, pairs, {"opened": len(people), "compared": compared, "unlike": unlike})
    return str(numbers[-1])


def _scored(
    row: int, found: Found, people: dict[str, Person], weights: Weights, records: int
) -> list[tuple[str, Scored]]:
    mine = people.get(row_name(row))
    if mine is None:
        return []
    return [
        (
            other,
            score_pair(
                mine,
                people[other],
                weights=weights,
                shared=found.shared[row],
                name_share=found.names[row] / records,
            ),
        )
        for other in found.pairs[row]
        if other in people
    ]


def _kept(row: int, scored: Sequence[tuple[str, Scored]], people: dict[str, Person]) -> list[NewPair]:
    """Pairs worth keeping: merged, to be looked at, or vetoed. Who fits two different persons is merged with none."""
    judged = {other: each.judgement for other, each in scored}
    autos = [other for other, judgement in judged.items() if judgement.verdict is _AUTO]
    for other in autos:
        if judged[other].ground is Ground.OWN_CONTACT and _contradicts(other, autos, people):
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


def _write(work: MatchWork, numbers: list[int], pairs: list[NewPair], done: dict[str, int]) -> None:
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


def _names(found: Found) -> set[str]:
    """Rows that have a candidate, and the candidates: nobody else is opened."""
    rows = {row_name(row) for row, others in found.pairs.items() if others}
    return rows | {other for others in found.pairs.values() for other in others}


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
