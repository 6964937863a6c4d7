"""Orders of a batch as the bank needs them: opened in memory, chunk by chunk, and let go.

Debits rest on their mandate, whose cells hold account and holder; wages on the row of the client's file; a refund goes
to the account of the mandate under which the money was taken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from sqlmodel import Session, col, select

from activities.exchange.bank_ids import bank_id
from activities.gateways.bank.orders import Creditor, DebitOrder
from activities.gateways.bank.profiles import GENERIC_CNY, PROFILES, SEPA, BankProfile
from activities.gateways.bank.transfers import Payer, TransferOrder
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.domain.batches.kinds import KINDS, Direction, KindName
from models.domain.batches.states import RowState
from models.queries.batches.refunds import mandates_of_refunds
from models.tables.agreements import Mandate
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun

_WORDS: Final = {
    KindName.AUTO_DEBIT: ("Installment", "分期还款"),
    KindName.LOAN_DEDUCTION: ("Loan", "贷款扣款"),
    KindName.FEE_COLLECTION: ("Fee", "费用代收"),
    KindName.PAYROLL: ("Wages", "代发工资"),
    KindName.REFUND: ("Refund", "退款"),
}


_Found = TypeVar("_Found", bound=Mapping[Any, BatchRow | Mandate])


@dataclass(frozen=True, slots=True)
class PayeeRow:
    """Whom a row of a file, or a mandate, names. It shows nothing in `repr`."""

    name: str
    account: str
    bank: str

    def __repr__(self) -> str:
        """Nothing of a person."""
        return "PayeeRow()"


class RowOpener(Protocol):
    """How a sealed row of a file is opened."""

    def __call__(self, vault: Vault, row: BatchRow) -> PayeeRow:
        """The row in clear.

        Raises:
            CannotOpen, SubjectShredded: it cannot be, any more.
        """


def open_row(vault: Vault, row: BatchRow) -> PayeeRow:
    """A row as JSON of its canonical fields (`models.domain.batches.layouts`), under its own subject's key."""
    address = RowAddress(tenant=row.tenant, table="batch_rows", row=row.subject_id, subject=row.subject_id)
    fields = json.loads(vault.open_many_text(address, {"row_cell": row.row_cell})["row_cell"])
    return PayeeRow(fields["payee-name"], fields["account"], fields.get("bank-code", ""))


@dataclass(frozen=True, slots=True)
class OrderOpener:
    """Opens orders of one run."""

    vault: Vault
    run: BatchRun
    row_opener: RowOpener = open_row

    @property
    def is_debit(self) -> bool:
        """Whether money comes in."""
        return KINDS[KindName(self.run.kind)].direction is Direction.IN

    def profile_of(self, order: BatchOrder, mandate: Mandate | None) -> BankProfile | None:
        """The profile of the order's file: its mandate's, or where we pay the one of the currency; None: none is."""
        if self.is_debit:
            return PROFILES.get(mandate.profile) if mandate is not None else None
        return SEPA if order.currency == SEPA.currency else GENERIC_CNY if order.currency == "CNY" else None

    def mandates(self, session: Session, orders: Sequence[BatchOrder]) -> dict[str, Mandate]:
        """The mandates that these debits rest on, by id; none where we pay."""
        ids = {order.mandate_id for order in orders if order.mandate_id}
        if not self.is_debit or not ids:
            return {}
        return self._loaded({each.id: each for each in session.exec(select(Mandate).where(col(Mandate.id).in_(ids)))})

    def payees(self, session: Session, orders: Sequence[BatchOrder]) -> Mapping[int, BatchRow | Mandate]:
        """Where the account stands that each of these orders pays to, by member; none for debits.

        The accepted row of the run's file, or of a refund the mandate under which the money was taken.
        """
        if self.is_debit:
            return {}
        if self.run.kind == KindName.REFUND:
            found = mandates_of_refunds(session, [order.claim_key for order in orders])
            return self._loaded({order.member: found[order.claim_key] for order in orders if order.claim_key in found})
        return self._loaded(self._rows(session, orders))

    def _loaded(self, found: _Found) -> _Found:
        """The same, with the keys of their persons in memory: read one by one they are most of a file's work."""
        self.vault.load_subjects(self.run.tenant, {each.subject_id for each in found.values()})
        return found

    def _rows(self, session: Session, orders: Sequence[BatchOrder]) -> dict[int, BatchRow]:
        cohort = select(BatchCohort.id).where(
            col(BatchCohort.run) == self.run.token, col(BatchCohort.revision) == self.run.revision
        )
        # Of a line that was corrected the last attempt is the one that was accepted.
        found = session.exec(
            select(BatchMember.number, BatchRow)
            .where(
                col(BatchMember.cohort).in_(cohort),
                col(BatchMember.number).in_([order.member for order in orders]),
                col(BatchImport.run) == self.run.token,
                col(BatchRow.import_id) == col(BatchImport.id),
                col(BatchRow.line) == col(BatchMember.import_line),
                col(BatchRow.state) == RowState.ACCEPTED,
            )
            .order_by(col(BatchRow.attempt))
        ).all()
        return dict(found)

    def debit(self, order: BatchOrder, mandate: Mandate, profile: BankProfile) -> DebitOrder:
        """A debit in clear.

        Raises:
            CannotOpen, SubjectShredded: its account cannot be opened any more.
        """
        holder = self._holder(mandate)
        return DebitOrder(
            end_to_end_id=order.end_to_end_id or "",
            instruction_id=bank_id(order.id),
            mandate_id=bank_id(mandate.id),
            mandate_signed=mandate.signed_on,
            amount_minor=order.amount_minor,
            currency=order.currency,
            debtor_name=holder.name,
            debtor_account=holder.account,
            debtor_bank=holder.bank,
            remittance=self._remittance(profile),
        )

    def transfer(self, order: BatchOrder, to: BatchRow | Mandate, profile: BankProfile) -> TransferOrder:
        """A payment of a wage or a refund in clear.

        Raises:
            CannotOpen, SubjectShredded: its account cannot be opened any more.
        """
        payee = self.row_opener(self.vault, to) if isinstance(to, BatchRow) else self._holder(to)
        return TransferOrder(
            end_to_end_id=order.end_to_end_id or "",
            instruction_id=bank_id(order.id),
            amount_minor=order.amount_minor,
            currency=order.currency,
            creditor_name=payee.name,
            creditor_account=payee.account,
            creditor_bank=payee.bank,
            remittance=self._remittance(profile),
        )

    def _holder(self, mandate: Mandate) -> PayeeRow:
        row = RowAddress(tenant=mandate.tenant, table="mandates", row=mandate.id, subject=mandate.subject_id)
        clear = self.vault.open_many_text(
            row, {"account_cell": mandate.account_cell, "holder_cell": mandate.holder_cell}
        )
        return PayeeRow(clear["holder_cell"], clear["account_cell"], mandate.bank_code or "")

    def payer(self, session: Session, *, own: Creditor) -> Payer:
        """Whose account pays, in clear: the client's funding account at our bank, or ours for what we owe.

        Raises:
            NoResultFound: the run names none.
        """
        if self.run.client is None:
            return Payer(name=own.name, account=own.account, bank=own.bank)
        client = session.get_one(BatchClient, self.run.client)
        account = session.get_one(FundingAccount, self.run.funding_account)
        return Payer(
            name=self._text("batch_clients", client.id, client.id, name_cell=client.name_cell)["name_cell"],
            account=self._text("funding_accounts", account.id, client.id, account_cell=account.account_cell)[
                "account_cell"
            ],
            bank=own.bank,
        )

    def _text(self, table: str, row: str, subject: str, **cells: bytes) -> Mapping[str, str]:
        return self.vault.open_many_text(
            RowAddress(tenant=self.run.tenant, table=table, row=row, subject=subject), cells
        )

    def _remittance(self, profile: BankProfile) -> str:
        """What the customer or worker reads on the statement."""
        latin, chinese = _WORDS[KindName(self.run.kind)]
        return latin if profile.name == SEPA.name else f"{chinese} {self.run.business_date:%Y年%m月}"
