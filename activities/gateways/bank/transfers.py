"""Credit transfers for the bank as values in memory (付款指令), as payroll pays them. Made, written and let go.

They hold names and accounts in clear, which do not show in `repr`.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Ordered
from dataclasses import dataclass, field
from datetime import date, datetime

from activities.gateways.bank.fields import Broken, FieldRules
from activities.gateways.bank.orders import MOST_MINOR
from activities.gateways.bank.profiles import BankProfile
from activities.gateways.bank.rules import BankRule, Faults
from models.errors import FieldFault


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferOrder:
    """One credit transfer.

    Attributes:
        end_to_end_id: ours, unique; every answer of the bank comes back under it.
        instruction_id: ours, for the bank alone.
        amount_minor: minor units of `currency`, above 0.
        creditor_bank: BIC or clearing number of the account's bank; empty if not known.
        remittance: what the payee reads on the statement; empty for none.
    """

    end_to_end_id: str
    instruction_id: str
    amount_minor: int
    currency: str
    creditor_name: str = field(repr=False)
    creditor_account: str = field(repr=False)
    creditor_bank: str = ""
    remittance: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Payer:
    """Out of whose account is paid: of payroll, the client's funding account (代发委托单位)."""

    name: str = field(repr=False)
    account: str = field(repr=False)
    bank: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferBatch:
    """Transfers of one payer and date. `count` and `sum_minor` are stated beforehand; `transfers` is read once.

    Attributes:
        purpose: ISO external code of the category, such as SALA for wages; empty for none.
    """

    batch_id: str
    payer: Payer
    requested_date: date
    currency: str
    count: int
    sum_minor: int
    transfers: Iterable[TransferOrder]
    purpose: str = ""
    batch_booking: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferFile:
    """One file. Id, time and name are fixed before the first byte, so that it can be written again as it was.

    Attributes:
        created_at: with a time zone.
    """

    message_id: str
    created_at: datetime
    file_name: str
    initiator: str = field(repr=False)
    batches: Ordered[TransferBatch]

    @property
    def count(self) -> int:
        """How many transfers, as stated by the batches."""
        return sum(batch.count for batch in self.batches)

    @property
    def sum_minor(self) -> int:
        """Their sum in minor units, as stated by the batches."""
        return sum(batch.sum_minor for batch in self.batches)


def transfer_faults(order: TransferOrder, *, rules: FieldRules, profile: BankProfile) -> tuple[FieldFault, ...]:
    """Everything that is wrong with one transfer under a profile, so that it can stay out of the file alone."""
    faults = Faults()
    checks: tuple[tuple[str, Broken | None], ...] = (
        ("endToEndId", rules.identifier(order.end_to_end_id)),
        ("instructionId", rules.identifier(order.instruction_id)),
        ("creditorName", rules.name(order.creditor_name)),
        ("creditorAccount", rules.account(order.creditor_account)),
        ("creditorBank", rules.bank(order.creditor_bank) if order.creditor_bank else None),
        ("remittance", rules.text(order.remittance) if order.remittance else None),
    )
    for name, broken in checks:
        if broken is not None:
            faults.add(broken.rule, f"/{name}", **broken.params)
    if not 0 < order.amount_minor <= MOST_MINOR:
        faults.add(BankRule.AMOUNT, "/amountMinor")
    if order.currency != profile.currency:
        faults.add(BankRule.CURRENCY, "/currency", expected=profile.currency)
    return tuple(faults.found)
