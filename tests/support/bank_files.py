"""Made-up debits, and the schemas of the messages as the development dependency `sepaxml` ships them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sepaxml

from activities.gateways.bank.naming import batch_id, file_name, message_id
from activities.gateways.bank.orders import Creditor, DebitBatch, DebitFile, DebitOrder
from activities.gateways.bank.profiles import GENERIC_CNY, BankProfile, Sequence
from activities.gateways.bank.transfers import Payer, TransferBatch, TransferFile, TransferOrder
from deploy.demo.mock_bank import CREDITOR_BANK, CREDITOR_NUMBER, demo_iban

TODAY = date(2026, 11, 23)  # a Monday
CREATED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CREDITOR_CNY = Creditor(name="办件演示银行", account=CREDITOR_NUMBER, bank=CREDITOR_BANK)
CREDITOR_EUR = Creditor(
    name="Casework Demo", account=demo_iban("CASEWORK00"), bank="MOCKNL2A", scheme_id="NL00ZZZ123456780000"
)


def schema_of(message: str) -> Path:
    """The XSD of a message."""
    return Path(sepaxml.__file__).parent / "schemas" / f"{message}.xsd"


def every_weekday(day: date) -> bool:
    """A calendar without holidays."""
    return day.weekday() < 5


def debit(number: int = 1, **changes: Any) -> DebitOrder:
    """A sound debit for the profile generic-cny."""
    order = DebitOrder(
        end_to_end_id=f"CW{number:08d}",
        instruction_id=f"dbo-{number:08d}",
        mandate_id=f"mdt-{number:06d}",
        mandate_signed=date(2026, 1, 5),
        amount_minor=100_00 + number,
        currency="CNY",
        debtor_name="测试·客户",
        debtor_account=f"62220000{number:011d}",
        debtor_bank="102100099996",
        remittance="分期还款 第3期",
    )
    return replace(order, **changes)


def euro_debit(number: int = 1, **changes: Any) -> DebitOrder:
    """A sound debit for the profile sepa."""
    account = demo_iban(f"{number:010d}")
    return debit(
        number,
        **{
            "currency": "EUR",
            "debtor_name": "Test Person",
            "debtor_account": account,
            "debtor_bank": "",
            "remittance": "Installment 3",
            **changes,
        },
    )


def debit_file(
    *debits: DebitOrder,
    profile: BankProfile = GENERIC_CNY,
    sequence: Sequence = Sequence.RECURRING,
    on: date = TODAY,
    number: int = 1,
    batch_booking: bool = False,
) -> DebitFile:
    """A file of one batch."""
    message = message_id("main", business_date=TODAY, number=number)
    batch = DebitBatch.of(
        debits,
        batch_id=batch_id(message, sequence=sequence),
        creditor=CREDITOR_EUR if profile.currency == "EUR" else CREDITOR_CNY,
        requested_date=on,
        sequence=sequence,
        batch_booking=batch_booking,
    )
    return DebitFile(
        message_id=message,
        created_at=CREATED_AT,
        file_name=file_name(message, profile=profile),
        initiator=batch.creditor.name,
        batches=(batch,),
    )


def transfer(number: int = 1, **changes: Any) -> TransferOrder:
    """A sound wage payment for the profile generic-cny."""
    order = TransferOrder(
        end_to_end_id=f"CT{number:08d}",
        instruction_id=f"bor-{number:08d}",
        amount_minor=200_00 + number,
        currency="CNY",
        creditor_name="测试·职工",
        creditor_account=f"62330000{number:011d}",
        creditor_bank="102100099996",
        remittance="工资 2026年11月",
    )
    return replace(order, **changes)


def euro_transfer(number: int = 1, **changes: Any) -> TransferOrder:
    """A sound wage payment for the profile sepa."""
    euro = {
        "currency": "EUR",
        "creditor_name": "Test Worker",
        "creditor_account": demo_iban(f"{number:010d}"),
        "creditor_bank": "",
        "remittance": "Wages 2026-11",
    }
    return transfer(number, **{**euro, **changes})


def transfer_file(
    *transfers: TransferOrder, profile: BankProfile = GENERIC_CNY, on: date = TODAY, number: int = 1
) -> TransferFile:
    """A file of one batch of wages."""
    message = message_id("main", business_date=TODAY, number=number)
    own = CREDITOR_EUR if profile.currency == "EUR" else CREDITOR_CNY
    batch = TransferBatch(
        batch_id=f"{message}-TRF",
        payer=Payer(name=own.name, account=own.account, bank=own.bank),
        requested_date=on,
        currency=profile.currency,
        count=len(transfers),
        sum_minor=sum(each.amount_minor for each in transfers),
        transfers=transfers,
        purpose="SALA",
    )
    return TransferFile(
        message_id=message,
        created_at=CREATED_AT,
        file_name=f"{message}.{profile.pain001}.xml",
        initiator=own.name,
        batches=(batch,),
    )
