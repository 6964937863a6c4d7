"""What a rule answers, and what it rests on. Plain values; nothing here reads a clock or a table."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

# Reasons that a bank's policy gives, for every rule that it may tighten (`compliance.desk.policy`).
POLICY: Final = "stricter-policy"
POLICY_AMOUNT: Final = "stricter-policy-amount"


def reason_key(rule_id: str, reason: str) -> str:
    """Key of the text that explains a reason."""
    return f"policy.reason.{reason}" if reason in (POLICY, POLICY_AMOUNT) else f"rule.{rule_id}.reason.{reason}"


class Result(StrEnum):
    """A missing input is not a pass: it is UNKNOWN."""

    PASS = "PASS"  # noqa: S105  no password
    FAIL = "FAIL"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    UNKNOWN = "UNKNOWN"


class Severity(StrEnum):
    """Whether the step stops."""

    BLOCK = "BLOCK"
    WARN = "WARN"


class Verified(StrEnum):
    """How the provision was seen. What was seen only in draft, or recalled, is provisional."""

    TEXT = "TEXT"  # the article was read in the text of the law
    QUOTED = "QUOTED"  # seen quoted or translated
    SUMMARY = "SUMMARY"  # a note states it; the article number was not seen
    DRAFT = "DRAFT"  # seen in the consultation draft (征求意见稿) only
    MEMORY = "MEMORY"  # no text was seen


class Authority(StrEnum):
    """Rank of the source, highest first (效力位阶)."""

    LAW = "law"  # 法律
    ADMINISTRATIVE_REGULATION = "administrative-regulation"  # 行政法规
    JUDICIAL_INTERPRETATION = "judicial-interpretation"  # 司法解释
    DEPARTMENT_RULE = "department-rule"  # 部门规章
    NORMATIVE_DOCUMENT = "normative-document"  # 规范性文件
    STANDARD = "standard"  # 国家/行业标准
    SELF_REGULATION = "self-regulation"  # 自律规范


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """Law and article, in both languages; `url` where an official text has one."""

    law_zh: str
    law_en: str
    article_zh: str
    article_en: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A figure or set that the rule compares with: its source, and the date since when it holds."""

    name: str
    value: int | str | tuple[str, ...]
    source: str
    as_of: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer of one rule about one set of facts (合规判定).

    Attributes:
        title: key of the title in the texts.
        inputs_hash: SHA-256, in hex, of the facts the rule may look at.
        reason: code; the text is under `reason_key`.
        text_params: values for that text: codes and minor units.
        missing: names of the facts that are not there.
        as_of: the date of the legal fact, which decides the version of the rule.
        evaluated_at: when it was asked, if the caller said so.
    """

    rule_id: str
    title: str
    authority: Authority
    citation: Citation
    effective_from: date
    effective_to: date | None
    verified: Verified
    severity: Severity
    inputs_hash: str
    result: Result
    reason: str
    missing: tuple[str, ...] = ()
    params: tuple[Parameter, ...] = ()
    text_params: dict[str, str | int] = field(default_factory=dict)
    as_of: date
    evaluated_at: datetime | None = None

    @property
    def provisional(self) -> bool:
        """Whether the provision was not seen in force; the text `rule.provisional` says so beside the reason."""
        return self.verified in {Verified.DRAFT, Verified.MEMORY}

    @property
    def reason_key(self) -> str:
        """Key of the text that explains the result."""
        return reason_key(self.rule_id, self.reason)

    @property
    def citation_key(self) -> str:
        """Key of the text that names law and article."""
        return f"rule.{self.rule_id}.citation"

    def stored_params(self) -> dict[str, Any]:
        """For `rule_verdicts.params`: the parameters by name, and under `text` what the reason's text needs."""
        parameters = {
            each.name: {
                "value": list(each.value) if isinstance(each.value, tuple) else each.value,
                "source": each.source,
                "as_of": each.as_of.isoformat(),
            }
            for each in self.params
        }
        return {**parameters, "text": dict(self.text_params)}
