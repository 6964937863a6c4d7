"""The order in which a gate asks: classification → basis → disclosure → consent → limits → evidence."""


def ordered(
    *,
    classification: tuple[str, ...] = (),
    basis: tuple[str, ...] = (),
    disclosure: tuple[str, ...] = (),
    consent: tuple[str, ...] = (),
    limits: tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The ids of a gate's rules in the order in which they are asked."""
    return (*classification, *basis, *disclosure, *consent, *limits, *evidence)
