"""The plan of a transfer job (迁移方案): what both companies approve, as one closed record with one hash.

It comes as TOML or JSON, in the same names. Staff stand in it by their ids, costs in minor units and minutes; nothing
of a customer does. What the notices say (`notice`), how they are sent (`notices`) and for whom backups are held in
escrow (`backup`) is checked by those who use it; here these are tables and nothing more. Who gets changed records
(`consumers`) is checked here: nobody may learn only after the rows have moved that they cannot be handed on.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from models.domain.canonical import digest
from models.domain.customers.record import FIELDS, KEY_FIELDS, REQUIRED_FIELDS
from models.domain.form_faults import faults_of
from models.domain.rule_words import ENTRUSTMENT_TERMS
from models.domain.security_words import DATA_GRADES
from models.domain.transfers.consumers import consumers_of
from models.domain.transfers.keeping import keep_days
from models.domain.transfers.scope import DataKind, fields_in
from models.domain.transfers.states import HANDLER_CHANGES, JobStage, LegalClass
from models.errors import FieldFault, FormInvalid

MAX_PLAN_BYTES: Final = 64 * 1024
_MOST_RISKS: Final = 100
_MOST_TERMS: Final = 60
# What a wave of this size does in one go stays far below a minute; smaller ones are rolled back sooner.
MAX_WAVE_ROWS: Final = 100_000

_Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
_Staff = Annotated[str, StringConstraints(pattern=r"^stf_[0-9a-hjkmnp-tv-z]{26}$")]
_Words = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"\S")]
_Grade = Annotated[int, Field(ge=1, le=5)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class Scope(_Part):
    """What is moved: fields of a customer's record, their grade (数据分级), about how many persons, and claims.

    Attributes:
        classes: of which classes of data (信息种类) a field must be to move; what is named and of none of them stays.
    """

    fields: Annotated[list[str], Field(min_length=1, max_length=len(FIELDS))]
    classes: Annotated[list[str], Field(min_length=1, max_length=len(DataKind))] = [kind.value for kind in DataKind]
    data_grade: Literal["core", "important", "sensitive", "other"]
    customers: Annotated[int, Field(ge=0, le=10_000_000_000)]
    claims: bool = False  # claims, debts or contracts are booked to the recipient as well
    same_purposes: bool = True  # the recipient keeps purpose and method


class Term(_Part):
    """When a stage is to begin and to end (排期)."""

    stage: str
    begins: date
    ends: date


class Owner(_Part):
    """Who answers for the job in a department (责任人)."""

    department: _Code
    staff: _Staff


class Risk(_Part):
    """One line of the risk register (风险登记): both grades from 1 to 5."""

    code: _Code
    likelihood: _Grade
    impact: _Grade
    measure: _Words
    owner: _Staff


class Emergency(_Part):
    """What is done when it goes wrong (应急预案), by whom, and within which time a rollback is done."""

    contacts: Annotated[list[_Staff], Field(min_length=1, max_length=20)]
    steps: Annotated[list[_Words], Field(min_length=1, max_length=30)]
    rollback_minutes: Annotated[int, Field(ge=1, le=10_080)]


class Contractor(_Part):
    """Somebody outside who works on the migration (受托方), and what the contract with them settles."""

    code: _Code
    terms: Annotated[list[str], Field(max_length=len(ENTRUSTMENT_TERMS))]
    passed_on: bool
    deletion_proof: bool


class Plan(_Part):
    """The whole plan.

    Attributes:
        impact_assessment: of the register (个人信息保护影响评估, PIPL Art. 55).
        security_assessment: evidence of the job, where the grade of the data asks for one.
        error_budget: per mille of a wave's rows that may fail before it stops by itself.
        cost: minor units and minutes by name, for cost and benefit (测算).
        key_differences: what is done with a key field that differs from the target's record.
        as_of: when the sources were drawn.
        receipt_wait_s: how long receipts are waited for before the public notice.
    """

    scope: Scope
    cutover_on: date
    timetable: Annotated[list[Term], Field(min_length=1, max_length=_MOST_TERMS)]
    owners: Annotated[list[Owner], Field(min_length=1, max_length=50)]
    risks: Annotated[list[Risk], Field(min_length=1, max_length=_MOST_RISKS)]
    emergency: Emergency
    impact_assessment: Annotated[str, StringConstraints(pattern=r"^pia_[0-9a-hjkmnp-tv-z]{26}$")] | None = None
    security_assessment: Annotated[str, StringConstraints(pattern=r"^tev_[0-9a-hjkmnp-tv-z]{26}$")] | None = None
    error_budget: Annotated[int, Field(ge=0, le=1_000)] = 5
    wave_rows: Annotated[int, Field(ge=1, le=MAX_WAVE_ROWS)] = 5_000
    waves_at_once: Annotated[int, Field(ge=1, le=20)] = 4
    receipt_wait_s: Annotated[int, Field(ge=0, le=90 * 86_400)] = 7 * 86_400
    contractors: Annotated[list[Contractor], Field(max_length=20)] = []
    cost: dict[_Code | Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z]{0,39}$")], int | str] = {}
    key_differences: dict[str, _Code] = {}
    as_of: datetime | None = None
    notice: dict[str, Any] = {}
    notices: dict[str, Any] = {}
    backup: dict[str, Any] = {}
    consumers: Annotated[list[dict[str, str]], Field(max_length=20)] = []

    @classmethod
    def read(cls, value: Mapping[str, Any], *, classes: Sequence[str]) -> Self:
        """Check a plan of a job of these classes.

        Raises:
            FormInvalid: with a pointer, a rule and the limit for each fault; no value that was sent.
        """
        try:
            plan = cls.model_validate_json(_spelt(value))
        except ValidationError as error:
            raise FormInvalid(faults=faults_of(error, prefix="/plan")) from None
        faults = (*plan._shape_faults(), *plan._class_faults(frozenset(classes)))  # noqa: SLF001 - of its own class
        if faults:
            raise FormInvalid(faults=faults)
        return plan

    def record(self) -> dict[str, Any]:
        """The one spelling of the plan: JSON values, in camelCase; dates in ISO 8601."""
        spelt: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        return spelt

    def hash(self) -> str:
        """What both companies approve: SHA-256, in hex, over the canonical JSON of the plan."""
        return digest(self.record())

    def staff(self) -> frozenset[str]:
        """Everybody of the staff whom the plan names."""
        return frozenset(
            (
                *(each.staff for each in self.owners),
                *(each.owner for each in self.risks),
                *self.emergency.contacts,
            )
        )

    def _shape_faults(self) -> tuple[FieldFault, ...]:
        """What one field alone does not say."""
        faults = [*self._scope_faults(), *self._timetable_faults()]
        faults += [
            _none_of(f"/plan/keyDifferences/{name}", sorted(KEY_FIELDS))
            for name in self.key_differences
            if name not in KEY_FIELDS
        ]
        faults += [
            _none_of(f"/plan/contractors/{at}/terms", ENTRUSTMENT_TERMS)
            for at, contractor in enumerate(self.contractors)
            if set(contractor.terms) - set(ENTRUSTMENT_TERMS)
        ]
        faults += _twice("/plan/owners", [each.department for each in self.owners])
        faults += _twice("/plan/risks", [each.code for each in self.risks])
        try:
            keep_days({"backup": self.backup})
        except ValueError:
            faults.append(FieldFault(pointer="/plan/backup/keep_days", code="wrong-format"))
        return (*faults, *self._consumer_faults())

    def _consumer_faults(self) -> list[FieldFault]:
        faults = []
        for at, each in enumerate(self.consumers):
            try:
                consumers_of({"consumers": [each]})
            except (KeyError, ValueError):
                faults.append(FieldFault(pointer=f"/plan/consumers/{at}", code="wrong-format"))
        return [*faults, *_twice("/plan/consumers", [each.get("name", "") for each in self.consumers])]

    def _scope_faults(self) -> list[FieldFault]:
        faults = [
            _none_of(f"/plan/scope/fields/{at}", FIELDS)
            for at, name in enumerate(self.scope.fields)
            if name not in FIELDS
        ]
        kinds = [kind.value for kind in DataKind]
        faults += [
            _none_of(f"/plan/scope/classes/{at}", kinds)
            for at, name in enumerate(self.scope.classes)
            if name not in kinds
        ]
        known = [name for name in self.scope.fields if name in FIELDS]
        needed = sorted(REQUIRED_FIELDS - fields_in(known, self.scope.classes))
        if needed:
            params: dict[str, str | int] = {"needed": ", ".join(needed)}
            faults.append(FieldFault(pointer="/plan/scope/fields", code="plan-field-needed", params=params))
        return faults

    def _timetable_faults(self) -> list[FieldFault]:
        stages, faults = [stage.value for stage in JobStage], []
        for at, term in enumerate(self.timetable):
            if term.stage not in stages:
                faults.append(_none_of(f"/plan/timetable/{at}/stage", stages))
            if term.ends < term.begins:
                faults.append(FieldFault(pointer=f"/plan/timetable/{at}/ends", code="ends-before-it-begins"))
        return faults

    def _class_faults(self, classes: frozenset[str]) -> tuple[FieldFault, ...]:
        """What the class of the event asks of the plan."""
        faults = []
        if classes & {each.value for each in (*HANDLER_CHANGES, LegalClass.G)} and not self.notice:
            faults.append(FieldFault(pointer="/plan/notice", code="missing"))
        if LegalClass.G.value in classes and self.impact_assessment is None:
            faults.append(FieldFault(pointer="/plan/impactAssessment", code="missing"))
        return tuple(faults)


assert get_args(Scope.model_fields["data_grade"].annotation) == DATA_GRADES, "the grades of the rules"


def plan_from_toml(text: str) -> dict[str, Any]:
    """A plan file as a mapping.

    Raises:
        FormInvalid: it is no TOML, or too long.
    """
    if len(text.encode()) > MAX_PLAN_BYTES:
        fault = FieldFault(pointer="/planToml", code="too-long", params={"limit": MAX_PLAN_BYTES})
        raise FormInvalid(faults=(fault,))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise FormInvalid(faults=(FieldFault(pointer="/planToml", code="plan-not-toml"),)) from None


def _spelt(value: Mapping[str, Any]) -> str:
    """Parsed TOML or JSON as JSON, so that a date is read from its string wherever it came from."""
    return json.dumps(value, default=lambda found: found.isoformat(), allow_nan=False)


def _none_of(pointer: str, allowed: Sequence[str]) -> FieldFault:
    return FieldFault(pointer=pointer, code="not-one-of", params={"allowed": ", ".join(allowed)})


def _twice(pointer: str, named: list[str]) -> list[FieldFault]:
    return [FieldFault(pointer=pointer, code="named-twice")] if len(set(named)) < len(named) else []
