"""Who may be whom in one job: all tokens read once, candidates found in memory. Nothing is opened here.

What was found is kept between the turns of one walk, no longer: it is worked out anew wherever it is not there, and it
goes when the walk ends or pauses, or the linkage is destroyed.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from activities.transfers.match_work import MatchWork
from models.domain.matching.pairing import Paired, Pairing
from models.domain.matching.settling import row_name
from models.queries.transfers.match_candidates import tokens_of_rows, tokens_of_targets

_MOST_JOBS: Final = 2  # whose candidates are kept in memory at a time


@dataclass(frozen=True, slots=True)
class Search:
    """Candidates by the names of records."""

    paired: Paired
    _place: dict[int, int]
    _numbers: "array[int]"
    _targets: list[str]

    def others(self, row: int) -> list[str]:
        """The records that a row is compared with: the target's, and earlier rows; in order."""
        place = self._place.get(row)
        return [] if place is None else sorted(self._name(one) for one in self.paired.others.get(place, ()))

    def pairs(self, row: int) -> Iterator[tuple[str, set[str]]]:
        """The same, each with the contacts of the row that somebody has who is neither of the two."""
        place = self._place.get(row)
        found = () if place is None else self.paired.others.get(place, ())
        yield from sorted((self._name(one), self.paired.shared(place, one)) for one in found if place is not None)

    def bearers_of_name(self, row: int) -> int:
        """How many records bear the row's name."""
        return self.paired.bearers_of_name(self._place.get(row, -1))

    def _name(self, place: int) -> str:
        rows = len(self._numbers)
        return row_name(self._numbers[place]) if place < rows else self._targets[place - rows]


@dataclass(slots=True)
class Searches:
    """What was found, by job, for the turns that follow."""

    _known: dict[str, Search] = field(default_factory=dict, repr=False)

    def of(self, work: MatchWork, *, anew: bool = False) -> Search:
        """The job's candidates."""
        token = work.job.token
        known = None if anew else self._known.get(token)
        if known is None:
            known = search(work)
            while len(self._known) >= _MOST_JOBS:
                self._known.pop(next(iter(self._known)), None)
            self._known[token] = known
        return known

    def forget(self, job: str) -> None:
        """Let go of a job's candidates."""
        self._known.pop(job, None)


def search(work: MatchWork) -> Search:
    """Read the tokens of both sides and find the candidates."""
    pairing, numbers, targets = Pairing(), array("q"), list[str]()
    while True:
        with work.database.read() as session:
            rows = tokens_of_rows(session, work.job.token, after=numbers[-1] if numbers else 0)
        if not rows:
            break
        pairing.add_rows(tokens for _, tokens in rows)
        numbers.extend(number for number, _ in rows)
        work.rest()
    while True:
        with work.database.read() as session:
            found = tokens_of_targets(session, work.job.token, after=targets[-1] if targets else "")
        if not found:
            break
        pairing.add_targets(tokens for _, tokens in found)
        targets += [name for name, _ in found]
        work.rest()
    paired = pairing.paired(work.rest)
    place = {numbers[one]: one for one in paired.others}
    return Search(paired, place, numbers, targets)
