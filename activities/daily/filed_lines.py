"""The bank's booked entries, read again from the files that were taken: the bank's word survives a lost data store."""

from collections.abc import Iterator
from typing import Final

from activities.exchange.bank import BankConnection
from activities.exchange.take_files import AccountIndex, line_key
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.port import InboundFile
from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus
from models.domain.reconciliation.records import BankLine, FiledLine
from models.errors import BankFileUnreadable

_MONEY: Final = frozenset({ReplyStatus.SETTLED, ReplyStatus.RETURNED})
_DIGEST_SHOWN: Final = 16  # as the folders name what they keep


def filed_lines(bank: BankConnection, *, tenant: str, account_index: AccountIndex) -> Iterator[FiledLine]:
    """Every booked entry of the files that were taken, once, however many files tell it."""
    seen: set[str] = set()
    for file in bank.port.taken():
        try:
            replies = open_replies(file.path)
        except (BankFileUnreadable, FileNotFoundError):
            continue
        for item in replies:
            key = line_key(tenant, item.key)
            if item.status in _MONEY and item.amount_minor and key not in seen:
                seen.add(key)
                line = _line(file, item, account_index)
                if line is not None:
                    yield FiledLine(business_key=key, line=line, is_sum=item.level is not ReplyLevel.ITEM)


def _line(file: InboundFile, item: ReplyItem, account_index: AccountIndex) -> BankLine | None:
    day = item.value_date or item.booking_date
    if day is None:
        return None
    return BankLine(
        line_id=f"{file.digest[:_DIGEST_SHOWN]}:{item.line}",
        amount_minor=item.amount_minor or 0,
        value_date=day,
        back=item.status is ReplyStatus.RETURNED,
        credit=item.credit,
        reference=item.entry_ref,
        end_to_end_id=item.end_to_end_id,
        account=account_index(item.account) if item.account else None,
    )
