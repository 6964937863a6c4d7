"""Texts (告知与同意文本) at the edge: bodies become content, content is told with its hash; the second one is asked."""

from datetime import datetime
from typing import Any, Final

from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.principal import Principal
from api.registers.text_bodies import TextBody, TextDraftAnswer, TextVersionAnswer, TextWords
from api.wording import worded
from compliance.audit.deeds import Deed, shown_hash
from models.domain.application import DocumentKind, HardshipCode
from models.domain.consent_texts import (
    HEADINGS,
    TextContent,
    TextKind,
    missing_headings,
    notice_content,
)
from models.domain.data_scope import DataKind, DataScope
from models.domain.pointers import pointer_of
from models.domain.privacy_notice import PrivacyNotice
from models.errors import FieldFault, FormInvalid, FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.consent_texts import Validity, content_of
from models.queries.consent_register import draft_by_id
from models.tables.consent_register import TextDraft, TextVersion

_PART: Final = {TextKind.PRIVACY_NOTICE: ("notice",), TextKind.DATA_SCOPE: ("text", "scope")}
_DATA: Final = frozenset({*(kind.value for kind in DataKind), *(kind.value for kind in DocumentKind)})


def read_text(body: TextBody, *, drafted_by: str, now: datetime) -> tuple[TextContent, Validity]:
    """What a body says, checked.

    Raises:
        FormInvalid: naming every field at fault.
    """
    faults = [*_part_faults(body), *_validity_faults(body, now), *_notice_faults(body), *_scope_faults(body)]
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return _content(body, drafted_by), Validity(valid_from=body.valid_from, valid_until=body.valid_until)


def _part_faults(body: TextBody) -> list[FieldFault]:
    wanted = _PART.get(body.kind, ("text",))
    faults = []
    for part in ("text", "notice", "scope"):
        given = getattr(body, part) is not None
        if given != (part in wanted):
            faults.append(FieldFault(pointer=f"/{part}", code="unknown-field" if given else "missing"))
    return faults


def _validity_faults(body: TextBody, now: datetime) -> list[FieldFault]:
    begin, end = body.valid_from or now, body.valid_until
    faults = []
    if end is not None and end <= max(begin, now):
        faults.append(FieldFault(pointer="/validUntil", code="ends-before-it-begins"))
    if body.kind is TextKind.DATA_SCOPE and body.valid_from is not None:
        faults.append(FieldFault(pointer="/validFrom", code="unknown-field"))  # the list counts from its publication
    return faults


def _notice_faults(body: TextBody) -> list[FieldFault]:
    if body.notice is None:
        return []
    items = {heading: words.zh for heading, words in body.notice.items.items()}
    unknown = [
        FieldFault(pointer=pointer_of(("notice", "items", name)), code="unknown-field")
        for name in sorted(items.keys() - set(HEADINGS))
    ]
    missing = [FieldFault(pointer=f"/notice/items/{name}", code="missing") for name in missing_headings(items)]
    if body.notice.sensitive_data:
        missing += [
            FieldFault(pointer=f"/notice/items/{name}", code="missing")
            for name in ("necessity", "effect")
            if name not in items
        ]
    return unknown + missing


def _scope_faults(body: TextBody) -> list[FieldFault]:
    if body.scope is None:
        return []
    allowed: dict[str, str | int] = {"allowed": ", ".join(sorted(_DATA))}
    faults = [
        FieldFault(pointer=f"/scope/always/{place}", code="not-one-of", params=allowed)
        for place, kind in enumerate(body.scope.always)
        if kind not in _DATA
    ]
    for code, kinds in body.scope.by_hardship.items():
        if code not in set(HardshipCode):
            causes: dict[str, str | int] = {"allowed": ", ".join(HardshipCode)}
            faults.append(FieldFault(pointer="/scope/byHardship", code="not-one-of", params=causes))
            continue
        faults += [
            FieldFault(pointer=f"/scope/byHardship/{code}/{place}", code="not-one-of", params=allowed)
            for place, kind in enumerate(kinds)
            if kind not in _DATA
        ]
    return faults


def _content(body: TextBody, drafted_by: str) -> TextContent:
    if body.notice is not None:
        notice = PrivacyNotice(
            version=body.version,
            source=f"register, drafted by {drafted_by}",
            basis=body.notice.basis.value,
            items={name: body.notice.items[name].zh for name in HEADINGS if name in body.notice.items},
            sensitive_data=tuple(each.value for each in body.notice.sensitive_data),
        )
        english = {name: words.en for name, words in body.notice.items.items()}
        return notice_content(notice, english=english, material=body.material)
    assert body.text is not None  # asked by `_part_faults`
    definition: dict[str, Any] | None = None
    if body.scope is not None:
        scope = DataScope(
            version=body.version,
            source=f"register, drafted by {drafted_by}",
            always=tuple(body.scope.always),
            by_hardship={code: tuple(kinds) for code, kinds in body.scope.by_hardship.items()},
        )
        definition = scope.as_record()
    return TextContent(
        kind=body.kind.value,
        version=body.version,
        zh=body.text.zh,
        en=body.text.en,
        definition=definition,
        material=body.material,
    )


def shown(draft: TextDraft) -> dict[str, object]:
    """What both persons see of a submitted draft; its hash is what the second one is bound to."""
    return {
        "draft": draft.id,
        "revision": draft.revision,
        "content": content_of(draft).digest(),
        "validFrom": draft.valid_from.isoformat() if draft.valid_from is not None else None,
        "validUntil": draft.valid_until.isoformat() if draft.valid_until is not None else None,
    }


def hash_of(draft: TextDraft) -> str:
    """The hash of what is shown."""
    return shown_hash(shown(draft))


def draft_for(deps: ApiDeps, principal: Principal, draft_id: str) -> TextDraft:
    """A draft of the caller's institution; blocking.

    Raises:
        NotFound: there is none.
    """
    with deps.database.read() as session:
        found = draft_by_id(session, known_token(draft_id), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def check_second_person(principal: Principal, draft: TextDraft, *, shown: str) -> None:
    """The first of the three layers: the API asks before it tries.

    Raises:
        WrongState, FourEyesViolation, ShownChanged: why not.
    """
    if draft.state != "SUBMITTED":
        raise WrongState(params={"state": draft.state})
    if principal.person_id in draft.made_by:
        raise FourEyesViolation
    if draft.shown_hash != shown:
        raise ShownChanged


def text_deed(principal: Principal, action: str, draft_id: str, *, at: datetime, **facts: object) -> Deed:
    """The event of one step of a text."""
    return Deed(
        tenant=principal.tenant, action=action, target=draft_id, actor=principal.staff_id, at=at, facts=dict(facts)
    )


def draft_answer(draft: TextDraft, *, locale: str) -> TextDraftAnswer:
    """A draft as it is told."""
    reason = draft.return_reason
    return TextDraftAnswer(
        id=draft.id,
        kind=draft.kind,
        kind_text=worded(f"text-kind.{draft.kind}", locale),
        version=draft.version,
        state=draft.state,
        state_text=worded(f"text-state.{draft.state}", locale),
        text=TextWords(zh=draft.zh, en=draft.en),
        definition=draft.definition,
        material=draft.material,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        content_hash=content_of(draft).digest(),
        shown_hash=draft.shown_hash if draft.state != "DRAFT" else None,
        drafted_by=draft.drafted_by,
        decided_by=draft.decided_by,
        return_reason=reason,
        return_reason_text=worded(f"text-return.{reason}", locale) if reason is not None else None,
        revision=draft.revision,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
    )


def version_answer(version: TextVersion, *, ends: datetime | None, now: datetime, locale: str) -> TextVersionAnswer:
    """A published text as it is told."""
    return TextVersionAnswer(
        id=version.id,
        kind=version.kind,
        kind_text=worded(f"text-kind.{version.kind}", locale),
        version=version.version,
        text=TextWords(zh=version.zh, en=version.en),
        definition=version.definition,
        material=version.material,
        content_hash=version.content_hash,
        valid_from=version.valid_from,
        valid_until=ends,
        in_force=version.valid_from <= now and (ends is None or now < ends),
        drafted_by=version.drafted_by,
        published_by=version.published_by,
        published_at=version.published_at,
    )
