"""One step of a working that is shown to people (计算过程): a code with words, who says so, and the figures."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One reason of a date, an amount or a rate.

    Attributes:
        code: the text stands under the prefix of the working, `retry-step.` or `ruleset-step.`.
        rule: the rule of the policy, the set or the law that says so.
        params: what the text needs; amounts in minor units, dates in ISO 8601.
    """

    code: str
    rule: str
    params: dict[str, str | int] = field(default_factory=dict)
