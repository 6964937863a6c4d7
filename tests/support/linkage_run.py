"""The engine over two books in memory: what `activities.transfers.matching` does with tokens, without the database."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.domain.matching.blocking import Block, blocking_values
from models.domain.matching.engine import Scored, score_pair
from models.domain.matching.learning import learn
from models.domain.matching.levels import compare
from models.domain.matching.pairing import TOKEN_BYTES, Paired, Pairing, packed_tokens
from models.domain.matching.person import Person, person_of
from models.domain.matching.weights import Weights
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_sets import TODAY, Books, Values

Pair = tuple[int, int]


@dataclass
class Linked:
    """What a run came to."""

    weights: Weights
    scored: dict[Pair, Scored] = field(default_factory=dict)

    def of(self, verdict: MatchVerdict) -> set[Pair]:
        """Pairs with this verdict."""
        return {pair for pair, scored in self.scored.items() if scored.judgement.verdict is verdict}


def link(books: Books) -> Linked:
    """Candidates, weights, scores and verdicts of two books."""
    source, target = people_of(books.source), people_of(books.target)
    paired = pair(source, target)
    first = len(source)
    pairs = [(row, other - first) for row, others in paired.others.items() for other in others if other >= first]
    weights = learn(Counter(compare(source[one], target[other]) for one, other in pairs))
    linked = Linked(weights)
    for one, other in pairs:
        linked.scored[one, other] = score_pair(
            source[one],
            target[other],
            weights=weights,
            shared=paired.shared(one, first + other),
            name_share=paired.bearers_of_name(one) / paired.records,
        )
    return linked


def pair(source: Sequence[Person], target: Sequence[Person]) -> Paired:
    """Candidates of two books; tokens without a key, which shows nobody anything here."""
    pairing = Pairing()
    pairing.add_rows(packed_tokens(tokens_of(person)) for person in source)
    pairing.add_targets(packed_tokens(tokens_of(person)) for person in target)
    return pairing.paired()


def tokens_of(person: Person) -> dict[Block, bytes]:
    """A token for each blocking value."""
    return {
        kind: hashlib.blake2b(value.encode(), digest_size=TOKEN_BYTES, salt=bytes((kind.value,))).digest()
        for kind, value in blocking_values(person).items()
    }


def people_of(records: Sequence[Values]) -> list[Person]:
    """Records as they are compared."""
    return [person_of(record, today=TODAY) for record in records]
