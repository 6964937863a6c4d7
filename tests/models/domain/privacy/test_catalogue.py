"""The catalogue knows every personal field that the schema, the files and the forms hold, and nothing holds C3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy import Column, LargeBinary

from api.bodies import Answer, Body
from compliance.vault.tables import KeyTable
from models.domain.application import DocumentKind
from models.domain.form_base import Plain
from models.domain.forms import FORMS
from models.domain.privacy.authentication import is_authentication_name
from models.domain.privacy.field import PersonalField
from models.domain.privacy.fields import FIELDS, fields_in, index_places, sealed_places
from models.domain.privacy.retention import RULES
from models.domain.privacy.words import DataClass, Export, Mask, Storage
from models.tables.all import METADATA
from models.texts.personal_fields import catalogue_page, words_of
from models.texts.render import LOCALES
from tests.support.shared_app import shared_app

PAGE: Final = Path(__file__).parents[4] / "docs" / "personal-fields.md"
assert shared_app  # importing the app imports every body
# Figures of nobody in particular: authority of staff, totals of a run.
_NOT_OF_A_PERSON: Final = {"staff.authority_amount_minor", "role_changes.authority_amount_minor"}
_JSON_OF_NOBODY: Final = {
    "tasks.blocked", "tasks.excluded_persons", "rule_verdicts.missing", "rule_verdicts.params", "daily_runs.figures",
    "products.definition", "role_changes.roles", "idempotency_keys.body", "idempotency_keys.headers",
    "erasure_requests.obstacles", "erasure_requests.figures",
    "suite_changes.figures", "suite_changes.unopened", "suite_changes.scan",
    "impact_assessments.made_by", "impact_assessments.triggers", "security_incidents.data_classes",
    "incident_corrections.facts", "text_drafts.definition", "text_drafts.made_by", "text_versions.definition",
    "rule_drafts.definition", "rule_flips.params",
    "transfer_jobs.classes", "transfer_jobs.facts", "transfer_jobs.plan", "transfer_jobs.counts",
    "transfer_backups.manifest", "transfer_backups.fault", "transfer_sources.mapping", "transfer_rows.faults",
    "transfer_pairs.weights", "transfer_pairs.vetoes", "transfer_notices.evidence",
    "customer_messages.params", "change_requests.fields", "transfer_conflicts.fields", "transfer_corrections.fields",
    "transfer_facts.value", "transfer_handovers.place", "transfer_plan_versions.plan", "transfer_quality.figures",
    "transfer_handovers.rows", "transfer_sources.left_out",
    "transfer_waves.checked",
    "batch_reports.body", "batch_suggestions.basis", "batch_suggestions.change", "batch_plans.criteria",
    "batch_plans.settings", "batch_cohorts.criteria", "batch_layouts.body", "batch_rows.faults",
    "batch_corrections.fields", "batch_quality.figures", "batch_rule_versions.body", "batch_rule_versions.expected",
    "batch_rule_tests.figures", "batch_runs.criteria", "batch_runs.settings", "batch_runs.counts",
    "batch_orders.policy",
}  # fmt: skip


def columns() -> Iterator[tuple[str, Column[object]]]:
    for table in METADATA.tables.values():
        for column in table.columns:
            yield f"{table.name}.{column.name}", column


def test_every_sealed_or_binary_column_is_known() -> None:
    """A cell, a blind index or a digest: whoever adds one says what lies in it."""
    binary = {place for place, column in columns() if isinstance(column.type, LargeBinary)}
    assert len(binary) > 15
    assert sorted(place for place in binary if not fields_in(place)) == []


def test_every_amount_and_every_document_beside_a_person_is_known() -> None:
    figures = {place for place, _ in columns() if place.endswith("_minor")} - _NOT_OF_A_PERSON
    documents = {place for place, column in columns() if column.type.__class__.__name__ == "JSON"} - _JSON_OF_NOBODY
    assert len(figures) > 30
    assert sorted(place for place in figures | documents if not fields_in(place)) == []


def test_the_catalogue_names_no_column_that_is_gone() -> None:
    known = {place for place, _ in columns()} | {f"file:{kind.value}" for kind in DocumentKind}
    for entry in FIELDS.values():
        for pattern in entry.places:
            assert any(PersonalField.lies_in(entry, place) for place in known), (entry.id, pattern)
    assert sealed_places() <= known
    assert index_places() <= known


def test_every_kind_of_file_is_known() -> None:
    assert all(fields_in(f"file:{kind.value}") for kind in DocumentKind)


# Forms ----------------------------------------------------------------------------------------------------------------

# Fields that take words or figures and are no personal data: why.
_NEUTRAL: Final = {
    "reason_code": "a closed set",
    "after": "a cursor", "cursor": "a cursor",
    "shown_hash": "a digest", "option_hash": "a digest",
    "branch": "a branch", "tenant": "an institution", "agency": "a code",
    "ticket": "a reference too short for a person's number", "reference": "likewise",
    "record": "a token of ours", "document_id": "a token", "offer_id": "a token", "event_id": "a token",
    "evidence_document_id": "a token", "agreed_in": "a token", "case_token": "a token", "person_id": "a token",
    "subject_id": "a token",
    "locale": "a language", "as_of": "a date", "value_date": "a date", "until": "a date", "date": "a date",
    "created_from": "an instant", "created_to": "an instant", "at": "an instant",
    "limit": "a number of rows", "term_months": "a term", "concession_bps": "a concession", "seconds": "a time",
    "expires_in_hours": "a time", "next_contact_days": "a time", "staff": "how many visit",
    "staff_version": "a version", "authority_amount_minor": "of staff", "authority_concession_bps": "of staff",
    "filter": "read member by member",
    "entry_id": "a token", "policy_id": "a token", "content_hash": "a digest", "version": "a name of a version",
    "text_version": "likewise", "reported_at": "an instant", "evidence": "a reference", "persons": "how many",
    "items": "words of the bank, published", "zh": "likewise", "en": "likewise", "always": "codes",
    "by_hardship": "codes",
    "activity": "a code", "gate": "a code", "facts": "facts of a dry run: codes, figures, dates",
    "parameters": "figures of the bank", "switches": "codes", "groups": "codes",
    "mapping": "names of columns", "place": "name of a file or connection", "rows": "a count", "sample": "a count",
    "year": "a year", "days": "days of a calendar",
    "origin": "a token of a job",
    "digest": "a digest", "ReferenceBody.kind": "a code", "wave": "a number of a wave",
    "error_budget": "a share of rows", "failure_bps": "likewise", "SuspenseAssign.order_id": "a token",
    "FactBody.value": "a fact for the rules: a date, a yes or no, codes", "plan": "of the job: names of staff are ids",
    "plan_toml": "likewise", "staff_id": "a token", "course": "a code", "source_tenant": "an institution",
    "criteria": "filters of a cohort: codes, figures, dates", "client": "a token", "funding_account": "a token",
    "rule_set": "a token", "answer_days": "days", "return_days": "days", "at_least": "rows before a share counts",
    "chunk_rows": "a count", "window": "a count", "cut_off": "a time of day", "agreed_day": "a day of the month",
    "NewClientBody.code": "a code of a company", "toml": "a layout: names of columns", "NewVersionBody.name": "a code",
    "rules": "rules of the bank: codes, figures", "expected": "counts by rule",
    "NewPlanBody.name": "a code", "month_day": "a day of the month", "hour": "a time of day",
    "catch_up_hours": "a time", "text_hash": "a digest", "customer_id": "a token",
    "score": "a rating that stands by itself",
}  # fmt: skip

# Forms of a calculation for nobody in particular.
_ABOUT_NOBODY: Final = {"api.quotes.bodies", "api.quotes.controller"}
_SAMPLES: Final = {"RuleTestRow"}  # made-up rows on which a rule set is tried


def _subclasses(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in root.__subclasses__():
        yield each
        yield from _subclasses(each)


def forms() -> set[type[BaseModel]]:
    """Bodies of the product and forms of decisions; not those that tests make."""
    made = {each for root in (Body, Plain) for each in _subclasses(root)}
    return {each for each in made if each.__module__.split(".")[0] in {"api", "models"}}


def _takes_words_or_figures(annotation: object) -> bool:
    """Whether the field takes text, a secret or a number, and not only members of a closed set."""
    if annotation in (str, int, SecretStr):
        return True
    if get_origin(annotation) is None:
        return False
    return "Literal" not in str(get_origin(annotation)) and any(map(_takes_words_or_figures, get_args(annotation)))


def inputs() -> dict[tuple[type[BaseModel], str], None]:
    """Form and field; two forms may bear one name."""
    return {
        (form, name): None
        for form in forms()
        for name, field in form.model_fields.items()
        if _takes_words_or_figures(field.annotation)
    }


def _owners(form: type[BaseModel]) -> list[str]:
    """The form and those it inherits from: a field is catalogued where it was defined."""
    return [each.__name__ for each in form.__mro__ if issubclass(each, BaseModel)]


def test_every_field_of_a_form_is_known_or_said_to_be_neutral() -> None:
    known = {given for entry in FIELDS.values() for given in entry.inputs}
    unknown = []
    for form, field in inputs():
        is_known = any(f"{owner}.{field}" in known for owner in (*_owners(form), "*"))
        is_neutral = field in _NEUTRAL or f"{form.__name__}.{field}" in _NEUTRAL
        if not is_known and not is_neutral and form.__module__ not in _ABOUT_NOBODY and form.__name__ not in _SAMPLES:
            unknown.append(f"{form.__module__}.{form.__name__}.{field}")
    assert len(inputs()) > 60
    assert sorted(unknown) == []


def test_the_catalogue_names_no_form_that_is_gone() -> None:
    given = {
        name for form in forms() for owner in _owners(form) for name in [f"{owner}.{f}" for f in form.model_fields]
    }
    fields = {name.partition(".")[2] for name in given}
    for entry in FIELDS.values():
        for name in entry.inputs:
            assert name in given or (name.startswith("*.") and name[2:] in fields), (entry.id, name)


# C3 -------------------------------------------------------------------------------------------------------------------

# What is named after a secret and ends as a digest, or is no secret of a customer's.
_ENDS_AS_DIGEST: Final = {
    "staff.password_hash", "staff.password_initial",
    "LogInBody.password", "PasswordBody.current_password", "PasswordBody.new_password",
    "CreateStaffBody.initial_password",
}  # fmt: skip


def test_no_table_form_or_answer_has_a_place_for_what_authenticates() -> None:
    """C3: card verification code, PIN, track, expiry, password, biometrics."""
    key_columns = {
        f"{table.name}.{column.name}" for table in KeyTable.metadata.tables.values() for column in table.columns
    }
    places = {place for place, _ in columns()} | key_columns
    told = {
        f"{model.__name__}.{name}"
        for root in (Body, Plain, Answer)
        for model in _subclasses(root)
        if model.__module__.split(".")[0] in {"api", "models"}
        for name in model.model_fields
    }
    named = {name for name in places | told if is_authentication_name(name.partition(".")[2])}
    assert (
        named
        - {"TokenAnswer.password_change_required", "MeAnswer.password_change_required"}
        - {name for name in named if name.endswith("password_change_required")}
        == _ENDS_AS_DIGEST
    )


def test_what_is_c3_is_a_digest_that_nobody_sees_or_takes_out() -> None:
    secret = [entry for entry in FIELDS.values() if entry.data_class is DataClass.C3]
    assert len(secret) >= 3
    for entry in secret:
        assert (entry.storage, entry.mask, entry.export) == (Storage.DIGEST, Mask.NEVER, Export.NEVER), entry.id


@pytest.mark.parametrize(
    "name", ["cvn", "cvn2", "cardCvv", "pin", "track2_data", "cardExpiry", "expiry_date", "smsCode"]
)
def test_names_of_what_authenticates_are_recognised(name: str) -> None:
    assert is_authentication_name(name)


@pytest.mark.parametrize(
    "name", ["bank_code", "reason_code", "shipping", "opinion", "tracking", "expires_at", "pinned_at"]
)
def test_ordinary_names_are_not(name: str) -> None:
    assert not is_authentication_name(name)


# Words and page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_every_entry_and_every_code_has_words(locale: str) -> None:
    for entry in FIELDS.values():
        assert all(words_of(entry, locale=locale).values())


def test_every_entry_names_a_rule_and_only_sealed_or_digested_ones_hold_c2_identity() -> None:
    assert {entry.retention for entry in FIELDS.values()} <= set(RULES)
    clear = [
        entry.id
        for entry in FIELDS.values()
        if entry.storage is Storage.BESIDE and entry.mask in {Mask.NAME, Mask.ID_NUMBER, Mask.CARD, Mask.PHONE}
    ]
    assert clear == []


def test_the_page_is_made_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page()


def test_every_task_type_is_among_the_forms_looked_at() -> None:
    assert {form for kinds in FORMS.values() for form in kinds.values()} <= forms()
