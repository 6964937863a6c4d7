"""What differs between two versions of an offer, as a person who counters an offer needs to see it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.domain.plans.offers import PlanOffer


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One field that differs. `path` is a JSON pointer (RFC 6901) into the offer's record; None: it was not there."""

    path: str
    old: object
    new: object

    def as_record(self) -> dict[str, object]:
        """JSON."""
        return {"path": self.path, "old": self.old, "new": self.new}


def changes(old: PlanOffer, new: PlanOffer) -> tuple[Change, ...]:
    """Every field that differs, in the order of the record; nothing if and only if the hashes are equal."""
    before, after = dict(_leaves("", old.as_record())), dict(_leaves("", new.as_record()))
    return tuple(
        Change(path=path, old=before.get(path), new=after.get(path))
        for path in dict.fromkeys((*before, *after))
        if before.get(path) != after.get(path) or (path in before) != (path in after)
    )


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{path}/{key}", inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves(f"{path}/{at}", inner)
    else:
        yield path, value
