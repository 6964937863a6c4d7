"""The engine over two books in memory: what `activities.transfers.matching` does with tokens, without the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.domain.matching.blocking import BEARER, SEARCHED, Block, blocking_values
from models.domain.matching.engine import Scored, score_pair
from models.domain.matching.learning import learn
from models.domain.matching.levels import compare
from models.domain.matching.person import Person, person_of
from models.domain.matching.weights import Weights
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_sets import TODAY, Books, Values

CONTACTS = {"mobile": Block.MOBILE, "email": Block.EMAIL, "account": Block.ACCOUNT}
MOST_IN_BLOCK = 200
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
    source, target = _people(books.source), _people(books.target)
    left = [blocking_values(person) for person in source]
    right = [blocking_values(person) for person in target]
    pairs = sorted(candidates(left, right))
    weights = learn(Counter(compare(source[one], target[other]) for one, other in pairs))
    shared = shared_values([*left, *right])
    names = Counter(values[Block.NAME] for values in [*left, *right] if Block.NAME in values)
    linked = Linked(weights)
    for one, other in pairs:
        contacts = {name for name, kind in CONTACTS.items() if kind in left[one] and (kind, left[one][kind]) in shared}
        linked.scored[one, other] = score_pair(
            source[one],
            target[other],
            weights=weights,
            shared=contacts,
            name_share=names[source[one].name.text] / (len(left) + len(right)),
        )
    return linked


def candidates(left: Sequence[dict[Block, str]], right: Sequence[dict[Block, str]]) -> set[Pair]:
    """Pairs that share a blocking value; of a value that too many bear, none."""
    found: set[Pair] = set()
    for kind in SEARCHED:
        one, other = _bearers(left, kind), _bearers(right, kind)
        for value, mine in one.items():
            theirs = other.get(value, [])
            if len(mine) * len(theirs) <= MOST_IN_BLOCK:
                found.update((at, to) for at in mine for to in theirs)
    return found


def shared_values(records: Iterable[dict[Block, str]]) -> set[tuple[Block, str]]:
    """Contacts that several persons have: persons are told apart by what their names sound like and birth dates."""
    bearers: dict[tuple[Block, str], set[str]] = defaultdict(set)
    for values in records:
        for kind in CONTACTS.values():
            if kind in values:
                bearers[kind, values[kind]].add(values.get(BEARER, ""))
    return {value for value, persons in bearers.items() if len(persons - {""}) > 1}


def _bearers(records: Sequence[dict[Block, str]], kind: Block) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, values in enumerate(records):
        if kind in values:
            found[values[kind]].append(at)
    return found


def _people(records: Sequence[Values]) -> list[Person]:
    return [person_of(record, today=TODAY) for record in records]
