"""The notice about personal data (个人信息处理告知) as data with a version: what it says, and on which ground it rests.

Who was given a version is on record beside the consents; rules judge what that version says, not that one was given.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from models.domain.rule_words import LegalBasis, SensitiveData


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivacyNotice:
    """One version of what the bank tells before it processes the data of an application.

    Attributes:
        basis: the ground that the notice names (`LegalBasis`).
        items: what it says under each heading (`NOTICE_ITEMS`, `SENSITIVE_ITEMS` of `models.domain.rule_words`), in the
            words that the customer reads; a heading without words says nothing.
        sensitive_data: the kinds of sensitive data for which it names a purpose (`SensitiveData`).
    """

    version: str
    source: str
    basis: str
    items: Mapping[str, str]
    sensitive_data: tuple[str, ...]

    @property
    def items_said(self) -> tuple[str, ...]:
        """The headings under which something is said."""
        return tuple(name for name, words in self.items.items() if words.strip())

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"items": dict(self.items), "sensitive_data": list(self.sensitive_data)}

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "PrivacyNotice":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        return cls(**{**kept, "items": dict(kept["items"]), "sensitive_data": tuple(kept["sensitive_data"])})


DEFAULT_NOTICE: Final = PrivacyNotice(
    version="privacy-notice/2026-11",
    source="product default, provisional: the bank sets its own words",
    basis=LegalBasis.CONTRACT.value,
    items={
        "handler": "个人信息处理者为您持有信用卡的发卡银行，名称见您的信用卡合约。",
        "contacts": "您可以通过信用卡背面的客户服务电话或者任一营业网点联系我们。",
        "purpose": "为审核、订立和履行您申请的信用卡个性化分期还款协议而处理您的个人信息。",
        "method": "收集、存储、使用、加工您提交的材料，从本行核心系统读取欠款，经您书面同意查询个人信用报告。",
        "data-kinds": "身份、联系方式、卡号与欠款、收支、困难原因与证明材料；失业、经营失败等情形下还包括工作单位。",
        "retention": "保存至业务关系结束后十年；法律、行政法规另有规定的，从其规定。",
        "rights": "您可以通过客户服务电话或者营业网点查阅、复制、更正、补充、删除个人信息，撤回同意，或者提出投诉。",
        "necessity": "卡号与欠款用于确定协议的对象和金额；因病申请的，医疗证明用于核实特殊情况。否则无法审核申请。",
        "effect": "敏感个人信息泄露可能使您的财产和人格尊严受到侵害；我们加密保存，仅向办理人员开放。",
    },
    sensitive_data=tuple(each.value for each in SensitiveData),
)
