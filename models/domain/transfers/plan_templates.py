"""A plan file for each class of legal event, ready to be filled in: `{…}` marks what is missing.

Dates and staff ids are put in by whoever hands the template out, so that a filled template is a valid plan.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from models.domain.customers.record import FIELDS
from models.domain.transfers.scope import DataKind
from models.domain.transfers.states import JobStage, LegalClass

_DAYS_A_STAGE: Final = 3
# Risks that the class brings with it, beside those that every migration has.
_RISKS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "A": (("identity-outdated", "identity of the customer is verified again within the working days of the law"),),
    "B": (("data-to-the-group", "nothing is given to the new shareholder without separate consent"),),
    "C": (("creditors-object", "notices to creditors and the announcement are on file before the cut-over"),),
    "D": (("split-unclear", "the table that splits the persons is approved before anything is read"),),
    "E": (("consent-missing", "nobody is moved before the separate consent is on record"),),
    "F": (("no-successor", "records are handed to the designated body, or locked"),),
    "G": (("export-not-allowed", "the basis of the export is on file before anything leaves"),),
}
_COMMON: Final = (
    ("wrong-merge", "duplicates are reviewed by people; a merge can be taken apart"),
    ("loss-on-the-way", "sealed backup, proven by restoring; conservation is checked at every hop"),
)
_NOTICE: Final = {
    "contacts": {"zh-CN": "客户服务热线 95500", "en": "customer service 95500"},
    "purpose": {"zh-CN": "继续为您提供原有金融服务", "en": "to go on with the services you have"},
    "method": {"zh-CN": "电子化保存与查询", "en": "electronic storage and use"},
    "kinds": {"zh-CN": "身份信息、联系方式、账户信息", "en": "identity, contacts, accounts"},
}


def template(classes: tuple[str, ...], *, cutover_on: date, staff: str) -> dict[str, Any]:
    """A plan of these classes with all parts filled in; the impact assessment is left out until it is approved.

    Args:
        classes: of the job.
        cutover_on: day of the cut-over; the timetable leads up to it and beyond.
        staff: the id of whoever stands for every role until somebody else is named.
    """
    stages = [stage for stage in JobStage if stage is not JobStage.ENDED]
    first = cutover_on - timedelta(days=_DAYS_A_STAGE * stages.index(JobStage.UPDATING))
    begins = [first + timedelta(days=_DAYS_A_STAGE * at) for at in range(len(stages))]
    risks = [*_COMMON, *(risk for each in classes for risk in _RISKS[each])]
    plan: dict[str, Any] = {
        "cutoverOn": cutover_on.isoformat(),
        "errorBudget": 5,
        "waveRows": 5_000,
        "wavesAtOnce": 4,
        "receiptWaitS": 7 * 86_400,
        "scope": {
            "fields": list(FIELDS),
            "classes": [kind.value for kind in DataKind],
            "dataGrade": "sensitive",
            "customers": 0,
            "claims": LegalClass.E.value in classes,
            "samePurposes": True,
        },
        "timetable": [
            {
                "stage": stage.value,
                "begins": begin.isoformat(),
                "ends": (begin + timedelta(days=_DAYS_A_STAGE)).isoformat(),
            }
            for stage, begin in zip(stages, begins, strict=True)
        ],
        "owners": [{"department": name, "staff": staff} for name in ("operations", "privacy", "technology")],
        "risks": [
            {"code": code, "likelihood": 2, "impact": 4, "measure": measure, "owner": staff} for code, measure in risks
        ],
        "emergency": {
            "contacts": [staff],
            "steps": [
                "pause the job",
                "roll back the last wave",
                "tell both privacy officers",
                "report within the clock",
            ],
            "rollbackMinutes": 60,
        },
        "cost": {"decisionMinutes": 4, "projectMinor": 20_000_000},
    }
    if set(classes) & set("CDEFG"):
        plan["notice"] = {name: dict(texts) for name, texts in _NOTICE.items()}
    return plan


def as_toml(plan: Mapping[str, Any]) -> str:
    """A plan as a file, for people to fill in: plain values first, then tables."""
    return "\n".join(_lines(plan, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if not _is_nested(value)]
    for key, value in table.items():
        name = ".".join((*path, _key(key)))
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_lines(value, (*path, _key(key)))]
        elif _is_nested(value):
            for each in value:
                lines += ["", f"[[{name}]]", *_lines(each, (*path, _key(key)))]
    return lines


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else f'"{name}"'


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    text = str(value)
    return text if _is_date(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
