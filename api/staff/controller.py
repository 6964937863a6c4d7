"""Staff administration (人员管理): accounts, and changes of roles that take two persons."""

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.deps import ApiDeps, Deps
from api.etags import IfMatch, etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.passwords import check_policy, hash_password
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, MAX_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.staff.bodies import (
    CreateStaffBody,
    RoleChangeAnswer,
    RoleChangeBody,
    RoleChangeDecisionBody,
    RoleChangeList,
    StaffAnswer,
    StaffPage,
)
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import BadRequest, FieldFault, FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.idempotency import open_key
from models.operations.sessions import end_all_sessions
from models.operations.staff import (
    NewStaff,
    Proposal,
    create_staff,
    deactivate_staff,
    decide_role_change,
    persons_barred,
    propose_role_change,
    unlock_login,
)
from models.queries.staff import StaffRecord, list_staff, open_role_changes, role_change, staff_by_id
from models.tables.staff import RoleChange


class StaffController(Controller):
    """Accounts of the caller's institution."""

    path = "/v1/staff"
    tags = ("Staff",)

    @get("/", guards=[requires(Permission.STAFF_READ)], sync_to_thread=True, operation_id="ListStaff")
    def list_accounts(
        self, deps: Deps, principal: Caller, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> StaffPage:
        """Accounts by id, a page at a time."""
        start = _start(after)
        with deps.database.read() as session:
            found = list_staff(session, tenant=principal.tenant, after=start, limit=limit + 1)
        page = found[:limit]
        last = page[-1].row if len(found) > limit else None
        return StaffPage(
            items=[StaffAnswer.of(record) for record in page],
            end_cursor=encode_cursor("staff", last.id) if last is not None else None,
        )

    @get("/{staff_id:str}", guards=[requires(Permission.STAFF_READ)], sync_to_thread=True, operation_id="GetStaff")
    def get_account(self, staff_id: FromPath[str], deps: Deps, principal: Caller) -> Response[StaffAnswer]:
        """One account."""
        found = _account(deps, principal, staff_id)
        return Response(StaffAnswer.of(found), headers={"ETag": etag(found.row.version)})

    @post("/", guards=[requires(Permission.STAFF_CREATE)], operation_id="CreateStaff")
    async def create_account(
        self, data: JSONBody[CreateStaffBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[StaffAnswer]:
        """Make an account without roles. A first password is changed by its owner before anything else."""
        slot = key_slot(principal, route="staff.create", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            staff_id, now = new_token("stf"), deps.clock()
            new = _new_staff(principal, data)
            deed = Deed(
                tenant=principal.tenant, action="staff.created", target=staff_id, actor=principal.staff_id, at=now
            )
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=staff_id, status=201, now=now)
                made = create_staff(unit.session, new, staff_id=staff_id, now=now)
                deed.facts = {"person": made.person_id, "branch": made.branch}
            return staff_id

        def rebuild(staff_id: str) -> Stored:
            found = _account(deps, principal, staff_id)
            return Stored(
                status=201,
                body=StaffAnswer.of(found).model_dump(mode="json"),
                headers={"Location": f"/v1/staff/{staff_id}", "ETag": etag(found.row.version)},
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @post(
        "/{staff_id:str}/deactivation",
        guards=[requires(Permission.STAFF_CREATE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="DeactivateStaff",
    )
    def deactivate(
        self, staff_id: FromPath[str], deps: Deps, principal: Caller, if_match: IfMatch
    ) -> Response[StaffAnswer]:
        """Shut an account, any but one's own: its tokens are void from the next request on."""
        if known_token(staff_id) == principal.staff_id:
            raise FourEyesViolation
        now = deps.clock()
        deed = Deed(
            tenant=principal.tenant, action="staff.deactivated", target=staff_id, actor=principal.staff_id, at=now
        )
        with unit_of_work(deps.database, deed) as unit:
            deactivate_staff(unit.session, tenant=principal.tenant, staff_id=staff_id, read_version=if_match, now=now)
            end_all_sessions(unit.session, staff_id=staff_id, now=now)
        found = _account(deps, principal, staff_id)
        return Response(StaffAnswer.of(found), headers={"ETag": etag(found.row.version)})

    @post(
        "/{staff_id:str}/login-unlocking",
        guards=[requires(Permission.STAFF_CREATE)],
        sync_to_thread=True,
        status_code=204,
        operation_id="UnlockLogin",
    )
    def unlock(self, staff_id: FromPath[str], deps: Deps, principal: Caller) -> None:
        """Let an account try to log in again after a hundred failures in a row."""
        found = _account(deps, principal, staff_id)
        if deps.issuer is None:
            raise NotFound
        bucket = deps.issuer.account_bucket(tenant=principal.tenant, login=found.row.login)
        deed = Deed(
            tenant=principal.tenant,
            action="staff.login-unlocked",
            target=staff_id,
            actor=principal.staff_id,
            at=deps.clock(),
        )
        with unit_of_work(deps.database, deed) as unit:
            unlock_login(unit.session, bucket=bucket)

    @post("/{staff_id:str}/role-changes", guards=[requires(Permission.ROLES_PROPOSE)], operation_id="ProposeRoleChange")
    async def propose(
        self,
        staff_id: FromPath[str],
        data: JSONBody[RoleChangeBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[RoleChangeAnswer]:
        """Propose roles and authority for an account; another person confirms."""
        slot = key_slot(principal, route=f"staff.propose/{known_token(staff_id)}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            proposal = Proposal(
                change_id=new_token("rch"),
                tenant=principal.tenant,
                staff_id=staff_id,
                staff_version=data.staff_version,
                roles=frozenset(data.roles),
                authority_amount_minor=data.authority_amount_minor,
                authority_concession_bps=data.authority_concession_bps,
            )
            now, shown = deps.clock(), shown_hash(proposal.shown())
            deed = Deed(
                tenant=principal.tenant,
                action="role-change.proposed",
                target=staff_id,
                actor=principal.staff_id,
                at=now,
                facts={**proposal.shown(), "shown": shown},
            )
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=proposal.change_id, status=201, now=now)
                propose_role_change(
                    unit.session,
                    proposal,
                    shown_hash=shown,
                    by_staff=principal.staff_id,
                    by_person=principal.person_id,
                    now=now,
                )
            return proposal.change_id

        def rebuild(change_id: str) -> Stored:
            answer = RoleChangeAnswer.of(_change(deps, principal, change_id))
            return Stored(
                status=201, body=answer.model_dump(mode="json"), headers={"Location": f"/v1/role-changes/{change_id}"}
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)


class RoleChangeController(Controller):
    """Changes of roles that wait for, or have had, their second person."""

    path = "/v1/role-changes"
    tags = ("Staff",)

    @get("/", guards=[requires(Permission.STAFF_READ)], sync_to_thread=True, operation_id="ListOpenRoleChanges")
    def list_open(self, deps: Deps, principal: Caller) -> RoleChangeList:
        """Changes that wait for a second person."""
        with deps.database.read() as session:
            found = open_role_changes(session, tenant=principal.tenant, limit=MAX_LIMIT)
        return RoleChangeList(items=[RoleChangeAnswer.of(change) for change in found])

    @get(
        "/{change_id:str}", guards=[requires(Permission.STAFF_READ)], sync_to_thread=True, operation_id="GetRoleChange"
    )
    def get_change(self, change_id: FromPath[str], deps: Deps, principal: Caller) -> RoleChangeAnswer:
        """One change."""
        return RoleChangeAnswer.of(_change(deps, principal, change_id))

    @post(
        "/{change_id:str}/confirmation",
        guards=[requires(Permission.ROLES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmRoleChange",
    )
    def confirm(
        self, change_id: FromPath[str], data: JSONBody[RoleChangeDecisionBody], deps: Deps, principal: Caller
    ) -> RoleChangeAnswer:
        """Confirm a change as the second person; it holds from the account's next request on. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        return decide(deps, principal, change_id=change_id, shown=data.shown_hash, confirm=True)

    @post(
        "/{change_id:str}/rejection",
        guards=[requires(Permission.ROLES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectRoleChange",
    )
    def reject(
        self, change_id: FromPath[str], data: JSONBody[RoleChangeDecisionBody], deps: Deps, principal: Caller
    ) -> RoleChangeAnswer:
        """Reject a change as the second person."""
        return decide(deps, principal, change_id=change_id, shown=data.shown_hash, confirm=False)


def decide(deps: ApiDeps, principal: Principal, *, change_id: str, shown: str, confirm: bool) -> RoleChangeAnswer:
    """The second person's word on a change.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why not.
    """
    change = _change(deps, principal, change_id)
    check_second_person(deps, principal, change)
    if change.state != "PROPOSED":
        raise WrongState(params={"state": change.state})
    if change.shown_hash != shown:
        raise ShownChanged
    now = deps.clock()
    deed = Deed(
        tenant=principal.tenant,
        action="role-change.confirmed" if confirm else "role-change.rejected",
        target=change.staff_id,
        actor=principal.staff_id,
        at=now,
        facts={"change": change_id, "shown": shown, "roles": change.roles},
    )
    with unit_of_work(deps.database, deed) as unit:
        decided = decide_role_change(
            unit.session,
            tenant=principal.tenant,
            change_id=change_id,
            shown_hash=shown,
            confirm=confirm,
            by_staff=principal.staff_id,
            by_person=principal.person_id,
            now=now,
        )
    return RoleChangeAnswer.of(decided)


def check_second_person(deps: ApiDeps, principal: Principal, change: RoleChange) -> None:
    """The first of the three layers: the API asks before it tries.

    Raises:
        FourEyesViolation: the caller made the change, or it is for him.
    """
    with deps.database.read() as session:
        concerned = staff_by_id(session, tenant=principal.tenant, staff_id=change.staff_id)
        barred = persons_barred(session, shown_hash=change.shown_hash)
    if principal.person_id in barred or (concerned is not None and concerned.row.person_id == principal.person_id):
        raise FourEyesViolation


def _account(deps: ApiDeps, principal: Principal, staff_id: str) -> StaffRecord:
    with deps.database.read() as session:
        found = staff_by_id(session, tenant=principal.tenant, staff_id=known_token(staff_id))
    if found is None:
        raise NotFound
    return found


def _change(deps: ApiDeps, principal: Principal, change_id: str) -> RoleChange:
    with deps.database.read() as session:
        found = role_change(session, tenant=principal.tenant, change_id=known_token(change_id))
    if found is None:
        raise NotFound
    return found


def _start(after: str | None) -> str | None:
    values = decode_cursor(after, kind="staff", types=(str,))
    if values is None:
        return None
    if not isinstance(values[0], str):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),))
    return values[0]


def _new_staff(principal: Principal, data: CreateStaffBody) -> NewStaff:
    password_hash = None
    if data.initial_password is not None:
        password = data.initial_password.get_secret_value()
        check_policy(password, login=data.login, pointer="/initialPassword")
        password_hash = hash_password(password)
    return NewStaff(
        tenant=principal.tenant,
        login=data.login,
        name=data.name,
        branch=data.branch,
        locale=data.locale,
        person_id=data.person_id,
        password_hash=password_hash,
        external_subject=data.external_subject,
    )
