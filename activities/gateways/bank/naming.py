"""Ids and names of files, derived from the business: the same day and number give the same file."""

from datetime import date

from activities.gateways.bank.profiles import BankProfile, Sequence


def message_id(tenant: str, *, business_date: date, number: int) -> str:
    """MsgId of the file `number` (from 1) of a business date: within 35 characters for tenants of up to 20."""
    return f"{tenant}-{business_date:%Y%m%d}-{number:03d}"


def batch_id(message: str, *, sequence: Sequence) -> str:
    """PmtInfId of a file's batch: one per sequence type."""
    return f"{message}-{sequence}"


def file_name(message: str, *, profile: BankProfile) -> str:
    """Name under which the file goes out. It holds no person and no amount."""
    return f"{message}.{profile.pain008}.xml"
