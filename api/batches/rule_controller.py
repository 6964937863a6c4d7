"""Rule sets of batches over HTTP (规则集): one person writes, tries and proposes a version, another one decides."""

from http import HTTPStatus
from typing import Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from sqlmodel import Session

from api.batches import run_acts
from api.batches.rule_bodies import (
    MissAnswer,
    NewVersionBody,
    RuleSetItem,
    RuleSetList,
    RuleTestAnswer,
    RuleTestBody,
    VersionAnswer,
    VersionDecisionBody,
    VersionList,
)
from api.deps import ApiDeps, Deps
from api.four_eyes import by, refuse_maker
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from compliance.audit.unit import unit_of_work
from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.rulesets.trying import try_sample
from models.domain.batches.rulesets.version import RuleSet
from models.domain.batches.states import RuleSetState
from models.domain.roles import Permission
from models.errors import FieldFault, FormInvalid, NotFound
from models.operations.batches import rule_sets
from models.operations.idempotency import KeySlot, open_key
from models.queries.batches.rule_sets import rule_set_for, rule_sets_of, versions_of
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion

PATH: Final = "/v1/batch-rule-sets"
_VERSION: Final = "/{name:str}/versions/{number:int}"
_READ: Final = [requires(Permission.BATCHES_READ)]
_WRITE: Final = [requires(Permission.BATCHES_RULES)]


class BatchRuleController(Controller):
    """Repayment rules, rate policy and retries of batches, in versions."""

    path = PATH
    tags = ("Batches",)

    @get("/", guards=_READ, sync_to_thread=True, operation_id="ListBatchRuleSets")
    def list_all(self, deps: Deps, principal: Caller) -> RuleSetList:
        """Every set of the institution, and which versions are approved."""
        with deps.database.read() as session:
            return RuleSetList(items=[_item(session, each) for each in rule_sets_of(session, principal.tenant)])

    @get("/{name:str}/versions", guards=_READ, sync_to_thread=True, operation_id="ListBatchRuleVersions")
    def list_versions(self, name: FromPath[str], deps: Deps, principal: Caller) -> VersionList:
        """Versions of a set, newest first."""
        with deps.database.read() as session:
            found = _set(session, principal, name)
            return VersionList(items=[_answer(found, each) for each in versions_of(session, found.id)])

    @post("/", guards=_WRITE, operation_id="DraftBatchRules")
    async def draft(
        self, data: JSONBody[NewVersionBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[VersionAnswer]:
        """Write the next version of a set; the first one makes the set."""
        slot = key_slot(principal, route="batches.draft-rules", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(resource: str) -> Stored:
            name, _, number = resource.rpartition("/")
            answer = _version(deps, principal, name, int(number))
            headers = {"Location": f"{PATH}/{name}/versions/{number}"}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _draft(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )

    @get(_VERSION, guards=_READ, sync_to_thread=True, operation_id="GetBatchRules")
    def get_one(self, name: FromPath[str], number: FromPath[int], deps: Deps, principal: Caller) -> VersionAnswer:
        """One version as it stands."""
        return _version(deps, principal, name, number)

    @post(f"{_VERSION}/test", guards=_WRITE, sync_to_thread=True, status_code=200, operation_id="TestBatchRules")
    def test(
        self, *, name: FromPath[str], number: FromPath[int], data: JSONBody[RuleTestBody], deps: Deps, principal: Caller
    ) -> RuleTestAnswer:
        """Try a version on a sample: only one that hits what is expected may be proposed."""
        return _test(deps, principal, name, number, data)

    @post(f"{_VERSION}/proposal", guards=_WRITE, sync_to_thread=True, status_code=200, operation_id="ProposeBatchRules")
    def propose(self, name: FromPath[str], number: FromPath[int], deps: Deps, principal: Caller) -> VersionAnswer:
        """Lay a tested version before a second person."""
        now = deps.clock()
        deed = run_acts.deed(principal, "batch.rules-proposed", f"{name}/{number}", now, version=f"{name}/{number}")
        with unit_of_work(deps.database, deed) as unit:
            version = _known(unit.session, principal, name, number)
            rule_sets.propose_version(unit.session, version, by=by(principal), now=now)
            unit.deed.facts |= {"shown": rule_sets.shown_hash(version)}
        return _version(deps, principal, name, number)

    @post(
        f"{_VERSION}/decision",
        guards=[requires(Permission.BATCHES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="DecideBatchRules",
    )
    def decide(
        self,
        *,
        name: FromPath[str],
        number: FromPath[int],
        data: JSONBody[VersionDecisionBody],
        deps: Deps,
        principal: Caller,
    ) -> VersionAnswer:
        """Approve or refuse what was shown; never its maker. Needs a fresh log-in."""
        now, approve = deps.clock(), data.outcome == "approve"
        fresh_login(principal, now=now)
        if not approve and data.reason_code is None:
            raise FormInvalid(faults=(FieldFault(pointer="/reasonCode", code="missing"),))
        refuse_maker(deps, principal, shown_hash=data.shown_hash)
        deed = run_acts.deed(
            principal,
            "batch.rules-approved" if approve else "batch.rules-refused",
            f"{name}/{number}",
            now,
            version=f"{name}/{number}",
            shown=data.shown_hash,
            reason=data.reason_code,
        )
        with unit_of_work(deps.database, deed) as unit:
            version = _known(unit.session, principal, name, number)
            rule_sets.decide_version(
                unit.session,
                version,
                approve=approve,
                shown=data.shown_hash,
                reason_code=data.reason_code,
                by=by(principal),
                now=now,
            )
        return _version(deps, principal, name, number)


def _draft(deps: ApiDeps, principal: Principal, body: NewVersionBody, *, slot: KeySlot, digest: str) -> str:
    now = deps.clock()
    with unit_of_work(deps.database, run_acts.deed(principal, "batch.rules-drafted", body.name, now)) as unit:
        found = rule_sets.set_named(unit.session, tenant=principal.tenant, name=body.name, kind=body.kind, now=now)
        number = max((each.number for each in versions_of(unit.session, found.id)), default=0) + 1
        named = f"{body.name}/{number}"
        open_key(unit.session, slot, fingerprint=digest, resource_id=named, status=HTTPStatus.CREATED, now=now)
        rules = _rules(body, number)
        version = rule_sets.add_version(unit.session, rules, to=found, number=number, by=by(principal), now=now)
        unit.deed.facts |= {"version": named, "hash": version.body_hash}
    return named


def _rules(body: NewVersionBody, number: int) -> RuleSet:
    try:
        return RuleSet.from_record({**body.rules, "name": body.name, "version": number})
    except FormInvalid as refused:
        faults = (
            FieldFault(pointer=f"/rules{each.pointer}", code=each.code, params=each.params) for each in refused.faults
        )
        raise FormInvalid(faults=tuple(faults)) from None


def _test(deps: ApiDeps, principal: Principal, name: str, number: int, body: RuleTestBody) -> RuleTestAnswer:
    now = deps.clock()
    rows = [RowFacts(**row.model_dump(by_alias=False)) for row in body.rows]
    deed = run_acts.deed(principal, "batch.rules-tested", f"{name}/{number}", now, version=f"{name}/{number}")
    with unit_of_work(deps.database, deed) as unit:
        version = _known(unit.session, principal, name, number)
        rules = RuleSet.from_record(version.body)
        done = try_sample(rules, rows, body.expected, on=body.on or version.valid_from)
        rule_sets.note_test(unit.session, version, expected=body.expected, passed=done.passed)
        unit.deed.facts |= {"passed": done.passed, "rows": len(rows), "hits": done.hits}
    return RuleTestAnswer(
        passed=done.passed,
        hits=done.hits,
        barred=done.barred,
        misses=[
            MissAnswer(rule=each.rule, expected=each.expected, found=each.found, rows=list(each.rows))
            for each in done.misses
        ],
    )


def _set(session: Session, principal: Principal, name: str) -> BatchRuleSet:
    found = rule_set_for(session, name, tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def _known(session: Session, principal: Principal, name: str, number: int) -> BatchRuleVersion:
    version = session.get(BatchRuleVersion, (_set(session, principal, name).id, number))
    if version is None:
        raise NotFound
    return version


def _version(deps: ApiDeps, principal: Principal, name: str, number: int) -> VersionAnswer:
    with deps.database.read() as session:
        return _answer(_set(session, principal, name), _known(session, principal, name, number))


def _item(session: Session, found: BatchRuleSet) -> RuleSetItem:
    versions = versions_of(session, found.id)
    return RuleSetItem(
        name=found.name,
        kind=found.kind,
        versions=len(versions),
        in_force=[each.number for each in versions if each.state == RuleSetState.APPROVED],
    )


def _answer(found: BatchRuleSet, version: BatchRuleVersion) -> VersionAnswer:
    return VersionAnswer(
        name=found.name,
        number=version.number,
        kind=found.kind,
        state=version.state,
        rules=version.body,
        body_hash=version.body_hash,
        shown_hash=rule_sets.shown_hash(version),
        expected=version.expected,
        valid_from=version.valid_from,
        valid_to=version.valid_to,
        made_by=version.made_by,
        decided_by=version.decided_by,
        reason_code=version.reason_code,
        created_at=version.created_at,
        decided_at=version.decided_at,
    )
