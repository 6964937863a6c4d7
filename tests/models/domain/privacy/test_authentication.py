"""Words that hold what authenticates a customer are refused; ordinary words about money and dates are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.parties.bodies import SubjectSearchBody
from api.tasks.bodies import CommentBody
from models.domain.forms import parse_decision
from models.domain.privacy.authentication import authentication_faults, holds_authentication
from models.domain.states import TaskType
from models.errors import FormInvalid
from tests.support.applications import CARD

SPACED = " ".join(CARD[place : place + 4] for place in range(0, 16, 4))


@pytest.mark.parametrize(
    "words",
    [
        f"客户报卡号{CARD} 123",
        f"{SPACED}, 12/28, 123",
        f"{CARD}/987。",
        "CVV 是 123",
        "客户说CVV是123",
        "PIN码1234",
        "CVN2：456",
        "卡片背面后三位 789，安全码789",
        "交易密码123456",
        "PIN: 1234",
        "验证码 483920 已读给客户",
        "有效期 08/27",
        f"%B{CARD}^WANG/XIAOMING^2808101",
        f";{CARD}=28081010000012300000?",
        "安全码：４５６",
    ],
)
def test_these_are_refused(words: str) -> None:
    assert holds_authentication(words)


@pytest.mark.parametrize(
    "words",
    [
        f"客户卡号{CARD}，欠款500元",
        f"{CARD} 100元已还",
        f"{CARD}，3期",
        f"卡号 {CARD}",
        "6222021234567890124 123",  # no card: Luhn does not hold
        "客户忘记密码，已引导至柜面重置",
        "有效期内提出申请",
        "联系 13812345678 3 次未接",
        "还款 1,234.00 元，日期 12/28",
        "pinned to the board, opinion 12345",
        "shopping 1234, pcvv 123",
        "",
    ],
)
def test_these_are_ordinary(words: str) -> None:
    assert not holds_authentication(words)


@given(st.text(max_size=300))
def test_any_text_is_read_in_peace(words: str) -> None:
    assert holds_authentication(words) in (True, False)


def test_a_body_is_refused_with_place_and_rule_and_without_the_words() -> None:
    with pytest.raises(FormInvalid) as caught:
        CommentBody.read({"text": f"{CARD} 123"})
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code, fault.params) == ("/text", "holds-authentication", {})
    assert CARD not in str(caught.value)
    assert SubjectSearchBody.read({"idNumber": "E12345678"}).id_number == "E12345678"


def test_a_decision_is_refused_likewise() -> None:
    with pytest.raises(FormInvalid) as caught:
        parse_decision(TaskType.DOCUMENTS, {"outcome": "accept", "note": "密码是 123456"})
    assert [fault.pointer for fault in caught.value.faults] == ["/note"]
    assert parse_decision(TaskType.DOCUMENTS, {"outcome": "accept", "note": "资料齐全"}).note == "资料齐全"


def test_places_deep_inside_are_named() -> None:
    faults = authentication_faults({"a": [{"b": "cvv 123"}]})
    assert [fault.pointer for fault in faults] == ["/a/0/b"]
