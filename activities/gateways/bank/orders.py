"""Debits for the bank as values in memory. They hold names and accounts in clear: they are made, written and let go."""

from collections.abc import Iterable
from collections.abc import Sequence as Ordered
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from activities.gateways.bank.fields import Broken, FieldRules
from activities.gateways.bank.profiles import BankProfile, Sequence
from activities.gateways.bank.rules import BankRule, Faults
from models.errors import BankFileInvalid, FieldFault

# ISO 20022 amounts have at most 18 digits.
MOST_MINOR: Final = 10**18 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class DebitOrder:
    """One debit (扣款指令). What identifies a person does not show in `repr`.

    Attributes:
        end_to_end_id: ours, unique; every answer of the bank comes back under it.
        instruction_id: ours, for the bank alone.
        mandate_id, mandate_signed: what allows the debit (代扣授权).
        amount_minor: minor units of `currency`, above 0.
        debtor_bank: BIC or clearing number of the account's bank; empty if not known.
        remittance: what the debtor reads on the statement; empty for none.
    """

    end_to_end_id: str
    instruction_id: str
    mandate_id: str
    mandate_signed: date
    amount_minor: int
    currency: str
    debtor_name: str = field(repr=False)
    debtor_account: str = field(repr=False)
    debtor_bank: str = ""
    remittance: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Creditor:
    """Who collects: the bank's own institution. `scheme_id` is its number in the debit scheme, if it has one."""

    name: str
    account: str
    bank: str
    scheme_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DebitBatch:
    """Debits of one creditor, date and sequence type.

    `count` and `sum_minor` are stated beforehand, since they stand before the debits in the file; the writer refuses a
    batch whose debits are not so many or not of that sum. `debits` is read once.
    """

    batch_id: str
    creditor: Creditor
    requested_date: date
    sequence: Sequence
    currency: str
    count: int
    sum_minor: int
    debits: Iterable[DebitOrder]
    batch_booking: bool = False

    @staticmethod
    def of(
        debits: Ordered[DebitOrder],
        *,
        batch_id: str,
        creditor: Creditor,
        requested_date: date,
        sequence: Sequence,
        batch_booking: bool = False,
    ) -> "DebitBatch":
        """A batch of debits that are all at hand; there must be at least one."""
        return DebitBatch(
            batch_id=batch_id,
            creditor=creditor,
            requested_date=requested_date,
            sequence=sequence,
            currency=debits[0].currency,
            count=len(debits),
            sum_minor=sum(debit.amount_minor for debit in debits),
            debits=debits,
            batch_booking=batch_booking,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DebitFile:
    """One file of debits. Id, time and name are fixed before the first byte, so that it can be written again as it was.

    Attributes:
        created_at: with a time zone.
    """

    message_id: str
    created_at: datetime
    file_name: str
    initiator: str
    batches: Ordered[DebitBatch]

    @property
    def count(self) -> int:
        """How many debits, as stated by the batches."""
        return sum(batch.count for batch in self.batches)

    @property
    def sum_minor(self) -> int:
        """Their sum in minor units, as stated by the batches."""
        return sum(batch.sum_minor for batch in self.batches)


def faults_of(order: DebitOrder, *, rules: FieldRules, profile: BankProfile) -> tuple[FieldFault, ...]:
    """Everything that is wrong with one debit under a profile, so that it can stay out of the file alone."""
    faults = Faults()

    def note(name: str, broken: Broken | None) -> None:
        if broken is not None:
            faults.add(broken.rule, f"/{name}", **broken.params)

    note("endToEndId", rules.identifier(order.end_to_end_id))
    note("instructionId", rules.identifier(order.instruction_id))
    note("mandateId", rules.identifier(order.mandate_id))
    note("debtorName", rules.name(order.debtor_name))
    note("debtorAccount", rules.account(order.debtor_account))
    if order.debtor_bank:
        note("debtorBank", rules.bank(order.debtor_bank))
    if order.remittance:
        note("remittance", rules.text(order.remittance))
    if not 0 < order.amount_minor <= MOST_MINOR:
        faults.add(BankRule.AMOUNT, "/amountMinor")
    if order.currency != profile.currency:
        faults.add(BankRule.CURRENCY, "/currency", expected=profile.currency)
    return tuple(faults.found)


def require_sound(order: DebitOrder, *, rules: FieldRules, profile: BankProfile) -> None:
    """Refuse a debit that the bank would not read.

    Raises:
        BankFileInvalid: with every fault; it names the debit by its end-to-end id.
    """
    if found := faults_of(order, rules=rules, profile=profile):
        raise BankFileInvalid(detail=order.end_to_end_id, faults=found)
