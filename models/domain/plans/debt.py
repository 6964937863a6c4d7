"""What a card's debt is made of (欠款结构), and which part of it a plan takes in. Pure; minor units throughout."""

from dataclasses import asdict, dataclass

from models.domain.plans.negotiation import Balances


@dataclass(frozen=True, kw_only=True, slots=True)
class Debt:
    """A debt by kind; `installments_minor` is principal of ordinary installments that run already."""

    purchases_minor: int = 0
    cash_minor: int = 0
    installments_minor: int = 0
    interest_minor: int = 0
    fees_minor: int = 0

    @property
    def total_minor(self) -> int:
        """All kinds together."""
        return sum(asdict(self).values())

    def netted(self) -> "Debt":
        """The same sum without a kind below zero: what the bank owes of one kind pays the others in their order."""
        amounts = asdict(self)
        credit = -sum(amount for amount in amounts.values() if amount < 0)
        owed = {}
        for kind, amount in amounts.items():
            used = min(credit, max(0, amount))
            owed[kind] = max(0, amount) - used
            credit -= used
        return Debt(**owed)

    def part(self, amount_minor: int) -> "Debt":
        """So much of the debt, each kind in its proportion, to the last cent.

        What lies above the whole debt counts as purchases: the plan is then for more than is owed, which CC-670 stops.
        """
        debt = self.netted()
        whole = debt.total_minor
        covered = min(amount_minor, whole)
        if not whole:
            return Debt(purchases_minor=amount_minor)
        shares = {kind: divmod(covered * amount, whole) for kind, amount in asdict(debt).items()}
        left = covered - sum(cents for cents, _ in shares.values())
        # The cents that division leaves over go where most was cut off; of equals, to the kind that stands first.
        most_cut = sorted(shares, key=lambda kind: -shares[kind][1])[:left]
        parts = {kind: cents + (kind in most_cut) for kind, (cents, _) in shares.items()}
        parts["purchases_minor"] += amount_minor - covered
        return Debt(**parts)

    def balances(self) -> Balances:
        """As a plan reckons with it: running installments bear interest as purchases do."""
        return Balances(
            purchases_minor=self.purchases_minor + self.installments_minor,
            cash_minor=self.cash_minor,
            fees_minor=self.fees_minor,
            interest_minor=self.interest_minor,
        )

    def as_record(self) -> dict[str, int]:
        """Amounts by kind, those that are zero left out."""
        return {kind.removesuffix("_minor"): amount for kind, amount in asdict(self).items() if amount}
