"""One-time codes (动态验证码): what they confirm and how far they can be tried."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

DIGITS: Final = 6
CODE_LIFE: Final = timedelta(minutes=5)
MAX_TRIES: Final = 5
# Per person, whatever for: with five tries each, an hour of guessing has 25 chances in a million.
MAX_CODES: Final = 5
CODES_WINDOW: Final = timedelta(hours=1)


class CodePurpose(StrEnum):
    """What a customer confirms."""

    SIGN_AGREEMENT = "sign-agreement"  # 签署协议
    GRANT_MANDATE = "grant-mandate"  # 授权代扣
    CONFIRM_CHANGE = "confirm-change"  # prepayment, another due date


class CodeRefusal(StrEnum):
    """Why a code is not taken; `code-refusal.<reason>` is its text."""

    NONE = "none"  # there is no code to compare with
    WRONG = "wrong"
    EXPIRED = "expired"
    USED = "used"
    TRIES = "tries"
    CHANGED = "changed"  # what is to be confirmed is not what the code was sent for
