"""Why a bank refuses a debit (拒付原因), in the words of a retry policy, and the codes of ISO 20022 behind each."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What a refusal means for another try."""

    INSUFFICIENT_FUNDS = "insufficient-funds"  # 余额不足
    LIMIT = "limit"  # 超限额: of the account, the day or the bank
    TECHNICAL = "technical"  # 系统故障、超时
    AFTER_CUT_OFF = "after-cut-off"  # 超过截止时间
    ACCOUNT_WRONG = "account-wrong"  # 账号错误
    ACCOUNT_CLOSED = "account-closed"  # 已销户
    ACCOUNT_BLOCKED = "account-blocked"  # 冻结、止付
    NOT_ALLOWED = "not-allowed"  # 该账户不允许代扣
    MANDATE_GONE = "mandate-gone"  # 无授权、授权已终止
    CUSTOMER_STOPPED = "customer-stopped"  # 客户撤回、要求退款
    DECEASED = "deceased"  # 客户死亡
    UNKNOWN = "unknown"  # no code, or one that nobody has placed: for a person


REASON_OF_CODE: Final[dict[str, Reason]] = {
    "AM04": Reason.INSUFFICIENT_FUNDS,
    "AM02": Reason.LIMIT,
    "AM14": Reason.LIMIT,
    "AB05": Reason.TECHNICAL,
    "AB06": Reason.TECHNICAL,
    "ED05": Reason.TECHNICAL,
    "TM01": Reason.AFTER_CUT_OFF,
    "AC01": Reason.ACCOUNT_WRONG,
    "AC04": Reason.ACCOUNT_CLOSED,
    "AC06": Reason.ACCOUNT_BLOCKED,
    "AG01": Reason.NOT_ALLOWED,
    "MS02": Reason.UNKNOWN,
    "MS03": Reason.UNKNOWN,
    "MD01": Reason.MANDATE_GONE,
    "MD06": Reason.CUSTOMER_STOPPED,
    "SL01": Reason.CUSTOMER_STOPPED,
    "MD07": Reason.DECEASED,
    "DNOR": Reason.NOT_ALLOWED,
}


_BY_WORD: Final = {**{reason.value: reason for reason in Reason}, **REASON_OF_CODE}


def reason_of(code: str | None) -> Reason:
    """What a bank's code means; the words of this list stand for themselves."""
    return Reason.UNKNOWN if code is None else _BY_WORD.get(code, Reason.UNKNOWN)
