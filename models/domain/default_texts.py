"""The texts that a new institution begins with, in both languages; provisional: the bank publishes its own words."""

from typing import Final

from models.domain.consent_texts import TextContent, TextKind, notice_content
from models.domain.data_scope import DEFAULT_SCOPE
from models.domain.privacy_notice import DEFAULT_NOTICE

CREDIT_QUERY_VERSION: Final = "2026-01"

_NOTICE_IN_ENGLISH: Final = {
    "handler": "Your personal data are handled by the bank that issued your credit card; your card contract names it.",
    "contacts": "Reach us by the service number on the back of your card, or at any of our branches.",
    "purpose": (
        "We process your personal data to examine, conclude and perform the individual installment agreement on your "
        "credit card that you apply for."
    ),
    "method": (
        "We collect, store, use and process what you submit, read what you owe from our own core system and, with your "
        "written consent, query your personal credit report."
    ),
    "data-kinds": (
        "Identity, contacts, card number and what is owed on it, income, expenses, cause of hardship and proof of it; "
        "where you lost your work or your business failed, also your employer."
    ),
    "retention": "Kept until ten years after the end of our relation, unless a law sets another period.",
    "rights": (
        "By the service number or at a branch you can see, copy, correct, complete and delete your personal data, take "
        "back a consent, or complain."
    ),
    "necessity": (
        "Card number and debt determine what the agreement is about; medical proof, where illness is the cause, shows "
        "the special case. Without them we cannot examine the application."
    ),
    "effect": (
        "If sensitive personal data leak, your property and your dignity may be harmed; we keep them sealed, open to "
        "those only who handle your case."
    ),
}

DEFAULT_TEXTS: Final[tuple[TextContent, ...]] = (
    notice_content(DEFAULT_NOTICE, english=_NOTICE_IN_ENGLISH, material=False),
    TextContent(
        kind=TextKind.DATA_SCOPE.value,
        version=DEFAULT_SCOPE.version,
        zh="分期申请可以收集的个人信息和材料清单（最小必要），按困难原因区分；产品默认，由银行自行设定。",
        en="Data and documents that an application may hold, by cause of hardship; default, to be set by the bank.",
        definition=DEFAULT_SCOPE.as_record(),
        material=False,
    ),
    TextContent(
        kind=TextKind.CREDIT_REPORT_QUERY.value,
        version=CREDIT_QUERY_VERSION,
        zh=(
            "本人同意并授权贵行为审核本人的信用卡个性化分期还款申请，向金融信用信息基础数据库查询本人的个人信用报告。"
            "授权自签署之日起至申请办结之日止；本人可以随时撤回，撤回不影响撤回前已经进行的查询。"
        ),
        en=(
            "I consent that the bank queries my personal credit report in the national credit database to examine my "
            "application for an individual installment plan on my credit card. It holds from its signing until "
            "the application is closed; I may take it back at any time, which leaves earlier queries as they are."
        ),
        definition=None,
        material=False,
    ),
)
