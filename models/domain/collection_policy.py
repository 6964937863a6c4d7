"""The bank's collection policy (催收管理制度, CCM-66) as data with a version: how collectors are judged, what is kept.

No law fixes the measures or the phrases; the card measures forbid that the money recovered is the only measure (Art.
66) and improper means (Art. 68).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Agency:
    """A collection agency of the bank (委外催收机构), by its code; one that has left stays, off the list.

    Attributes:
        listed: it stands on the published list.
        evaluated_on: when it was inspected or evaluated last.
        entrustment_terms: what the contract settles (`models.domain.rule_words.ENTRUSTMENT_TERMS`, PIPL-21).
        sub_entrusted: it passed work on without the bank's consent.
    """

    code: str
    listed: bool
    evaluated_on: date
    entrustment_terms: tuple[str, ...]
    sub_entrusted: bool = False

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        told = {"evaluated_on": self.evaluated_on.isoformat(), "entrustment_terms": list(self.entrustment_terms)}
        return asdict(self) | told

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "Agency":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        evaluated = date.fromisoformat(kept["evaluated_on"])
        return cls(**{**kept, "evaluated_on": evaluated, "entrustment_terms": tuple(kept["entrustment_terms"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionPolicy:
    """What the bank has settled about collection.

    Attributes:
        measures: by which collectors are judged (考核指标).
        recording_months: for how long recordings of talks are kept, from the talk (录音保存期).
        banned_phrases: what must not be found in what was said or written (禁用语).
        agencies: who collects for the bank.
        reports_bad_status: a bad status is reported to the credit database (报送不良信息); the customer is told before.
    """

    version: str
    source: str
    measures: tuple[str, ...]
    recording_months: int
    banned_phrases: tuple[str, ...]
    # What came later has a default: policies kept before must be read.
    reports_bad_status: bool = False
    agencies: tuple[Agency, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        lists = {"measures": list(self.measures), "banned_phrases": list(self.banned_phrases)}
        return asdict(self) | lists | {"agencies": [agency.as_record() for agency in self.agencies]}

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "CollectionPolicy":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        lists = {name: tuple(kept[name]) for name in ("measures", "banned_phrases")}
        agencies = tuple(Agency.from_record(each) for each in kept.get("agencies", ()))
        return cls(**{**kept, **lists, "agencies": agencies})

    def agency(self, code: str) -> Agency | None:
        """An agency by its code, whether or not it stands on the list."""
        return next((each for each in self.agencies if each.code == code), None)

    def banned_in(self, words: str | None) -> bool:
        """Whether a banned phrase stands in what was said; blanks between its characters hide nothing."""
        said = "".join((words or "").split()).casefold()
        return any(phrase.casefold() in said for phrase in self.banned_phrases)


DEFAULT_POLICY: Final = CollectionPolicy(
    version="collection-policy/2026-11",
    source="product default, provisional: the bank sets its own",
    measures=("recovered-amount", "complaints", "rule-breaches", "cured-agreements"),
    recording_months=60,
    banned_phrases=(
        "坐牢",
        "抓你",
        "通缉",
        "上门闹",
        "爆通讯录",
        "告诉你单位",
        "告诉你同事",
        "告诉你邻居",
        "找你家人要",
        "让你丢工作",
        "借新还旧",
        "老赖",
    ),
)
