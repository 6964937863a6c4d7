"""What an officer of the demo looks for among the plans on the table: one that fits the customer."""

from typing import Any, Final

from models.domain.plans.negotiation import Family

# What the demo's approver may concede, basis points of the yearly rate, all in all.
_CONCESSION_BPS: Final = 1_000
_FAMILIES: Final = tuple(Family)


def fitting(offers: list[dict[str, Any]], *, wish: int, months: int | None = None) -> dict[str, Any]:
    """The plan to choose: offered, within authority, term and capacity if any is, then the family nearest to the wish.

    Args:
        offers: as a negotiation task shows them.
        wish: any number; it stands for what this customer likes, so that every family is chosen by somebody.
        months: the rows that the plan shall have, where the term was agreed on before.

    Raises:
        LookupError: nothing was offered.
    """
    choosable = [offer for offer in offers if offer["hash"] is not None]
    if not choosable:
        raise LookupError("no plan was offered")
    return min(choosable, key=lambda offer: _rank(offer, wish, months))


def _rank(offer: dict[str, Any], wish: int, months: int | None) -> tuple[bool, bool, bool, int]:
    figures = offer["figures"]
    other_term = months is not None and figures["term"] != months
    distance = (_FAMILIES.index(Family(offer["family"])) - wish) % len(_FAMILIES)
    return figures["concessionBps"] > _CONCESSION_BPS, other_term, not figures["fits"], distance
