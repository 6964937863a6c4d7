"""Rule parameters and switches (行内参数、开关): settled by two persons, each from a day on, never changed."""

from datetime import date
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.rules import drafts
from api.rules.draft_bodies import DraftDecisionBody, PoliciesAnswer, PolicyAnswer, PolicyBody
from compliance.desk.policy import read_policy
from compliance.policy import policy_on
from models.domain.roles import Permission
from models.domain.rule_desk import DraftKind
from models.domain.shanghai import shanghai_date
from models.queries.rule_desk import draft_records

_SHOWN = 50


class RuleParameterController(Controller):
    """The bank's own figures and switches over the rules."""

    path = "/v1/rule-parameters"
    tags = ("Rules",)

    @get("/", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="ListRuleParameters")
    def list_policies(
        self,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        on: Annotated[date | None, QueryParameter(name="on")] = None,
    ) -> PoliciesAnswer:
        """Every figure with the limit of the law and the bank's value on a day (today), and the newest drafts."""
        day = on or shanghai_date(deps.clock())
        with deps.database.read() as session:
            policy = policy_on(session, principal.tenant, on=day)
            found = draft_records(session, principal.tenant, kind=DraftKind.POLICY, limit=_SHOWN)
        return PoliciesAnswer.of(policy, found, on=day, locale=locale)

    @get(
        "/{draft_id:str}",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        operation_id="GetRuleParameterVersion",
    )
    def get_policy(self, draft_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> PolicyAnswer:
        """One version, drafted or decided."""
        return PolicyAnswer.of(drafts.record(deps, principal, draft_id, kind=DraftKind.POLICY), locale=locale)

    @post("/", guards=[requires(Permission.RULES_PROPOSE)], operation_id="DraftRuleParameters")
    async def draft(
        self,
        data: JSONBody[PolicyBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[PolicyAnswer]:
        """Draft a version; another person approves it. What is looser than the law is refused by rule and limit."""
        slot = key_slot(principal, route="rule-parameters.draft", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            told: dict[str, Any] = {"parameters": data.parameters, "switches": data.switches, "groups": data.groups}
            policy = read_policy(told, version=data.version, since=data.valid_from)
            return drafts.add(
                deps,
                principal,
                kind=DraftKind.POLICY,
                version=data.version,
                valid_from=data.valid_from,
                definition=policy.as_record(),
                slot=slot,
                fingerprint=digest,
            )

        def rebuild(draft_id: str) -> Stored:
            found = drafts.record(deps, principal, draft_id, kind=DraftKind.POLICY)
            body = PolicyAnswer.of(found, locale=locale).model_dump(mode="json")
            return Stored(status=201, body=body, headers={"Location": f"/v1/rule-parameters/{draft_id}"})

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @post(
        "/{draft_id:str}/approval",
        guards=[requires(Permission.RULES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ApproveRuleParameters",
    )
    def approve(
        self, draft_id: FromPath[str], data: JSONBody[DraftDecisionBody], deps: Deps, principal: Caller, locale: Locale
    ) -> PolicyAnswer:
        """Approve a version as the second person; it holds from its first day on, for good. Needs a fresh log-in."""
        found = drafts.decide(deps, principal, draft_id, kind=DraftKind.POLICY, shown=data.shown_hash, approve=True)
        return PolicyAnswer.of(found, locale=locale)

    @post(
        "/{draft_id:str}/rejection",
        guards=[requires(Permission.RULES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectRuleParameters",
    )
    def reject(
        self, draft_id: FromPath[str], data: JSONBody[DraftDecisionBody], deps: Deps, principal: Caller, locale: Locale
    ) -> PolicyAnswer:
        """Reject a version as the second person."""
        found = drafts.decide(deps, principal, draft_id, kind=DraftKind.POLICY, shown=data.shown_hash, approve=False)
        return PolicyAnswer.of(found, locale=locale)
