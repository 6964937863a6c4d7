"""What customers are told by class: every item of the law, in both languages, with nothing advertised."""

import pytest

from models.domain.sms import MAX_PARTS, parts_of
from models.domain.transfers.notice_facts import Duty, NoticeKind, advertises, duty_of, notice_facts
from models.domain.transfers.notice_policy import PlanFault, Way
from models.texts.transfer_notices import transfer_words

PLAN = {
    "notice": {
        "source": {"zh-CN": "甲银行", "en": "Bank A"},
        "recipient": {"zh-CN": "乙银行", "en": "Bank B"},
        "contacts": "400-000-0000",
        "purpose": {"zh-CN": "继续为您提供账户服务", "en": "serving your account"},
        "method": {"zh-CN": "加密传输后存储", "en": "encrypted transfer and storage"},
        "kinds": {"zh-CN": ["身份信息", "联系方式"], "en": ["identity", "contacts"]},
    }
}
URL = "https://bank.example.com/v1/links/" + "x" * 150


def words(duty: Duty, way: Way, language: str) -> str:
    facts = notice_facts(PLAN, source="甲银行", recipient="乙银行", language=language, duty=duty)
    return transfer_words(duty, facts, way=way, language=language, consent_days=30).for_link(URL)


@pytest.mark.parametrize("classes", [["C"], ["D"], ["F"], ["E"], ["C", "G"], ["E", "G"]])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("way", list(Way))
def test_every_text_names_recipient_and_contacts_and_advertises_nothing(
    classes: list[str], language: str, way: Way
) -> None:
    duty = duty_of(classes, {"has_successor": True})
    text = words(duty, way, language)
    told = ["乙银行" if language == "zh-CN" else "Bank B", "400-000-0000"]
    if duty.kind is NoticeKind.PROVISION:
        told += (
            ["继续为您提供账户服务", "加密传输后存储", "身份信息"] if language == "zh-CN" else ["serving", "identity"]
        )
    assert all(each in text for each in told)
    assert (URL in text) == (way is not Way.PUBLIC)
    assert "…" not in text
    assert not advertises(text)
    if way is Way.SMS:
        assert parts_of(text) <= MAX_PARTS


def test_who_is_told_and_who_is_asked() -> None:
    assert duty_of(["A"], {}).exempt_for == "class-needs-no-notice"
    assert duty_of(["B"], {}).kind is None
    assert duty_of(["B"], {"data_given_to_shareholder": True}).asks_consent
    assert duty_of(["F"], {"has_successor": False}).exempt_for == "no-recipient"
    for each in ("C", "D", "F"):
        duty = duty_of([each], {})
        assert (duty.kind, duty.asks_consent) == (NoticeKind.RECIPIENT, False)
    assert duty_of(["E"], {}).asks_consent
    assert not duty_of(["E"], {"notice_only_opinion": "LO-2026-7"}).asks_consent
    # Art. 39 is not what the opinion is about.
    assert duty_of(["E", "G"], {"notice_only_opinion": "LO-2026-7"}).asks_consent
    assert duty_of(["C", "G"], {}).asks_consent


def test_claims_are_told_where_they_move() -> None:
    assert "第五百四十六条" in words(duty_of(["E"], {}), Way.EMAIL, "zh-CN")
    assert "Article 546" in words(duty_of(["C"], {"claims_move": True}), Way.POST, "en")
    assert "第五百四十六条" not in words(duty_of(["C"], {}), Way.EMAIL, "zh-CN")


def test_another_word_is_another_hash() -> None:
    duty = duty_of(["C"], {})
    facts = notice_facts(PLAN, source="a", recipient="b", language="en", duty=duty)
    one = transfer_words(duty, facts, way=Way.EMAIL, language="en", consent_days=30)
    other = {"notice": {**PLAN["notice"], "contacts": "400-000-0001"}}
    changed = notice_facts(other, source="a", recipient="b", language="en", duty=duty)
    two = transfer_words(duty, changed, way=Way.EMAIL, language="en", consent_days=30)
    assert one.text_hash != two.text_hash
    assert len(one.version) <= 60


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"contacts": ""}, "contacts"),
        ({"contacts": "{link}"}, "contacts"),
        ({"purpose": "限时优惠"}, "CONS-29"),
        ({"purpose": {"en": "apply now for a discount", "zh-CN": "x"}}, "CONS-29"),
        ({"method": "a\nb"}, "method"),
        ({"kinds": {"zh-CN": "身份信息"}}, "kinds"),
    ],
)
def test_a_plan_that_lacks_an_item_or_advertises_is_refused_by_name(changes: dict[str, object], named: str) -> None:
    plan = {"notice": {**PLAN["notice"], **changes}}
    with pytest.raises(PlanFault, match=named):
        notice_facts(plan, source="a", recipient="b", language="en", duty=duty_of(["E"], {}))
