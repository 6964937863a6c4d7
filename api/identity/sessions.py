"""Log in, refresh, log out, who am I, and another password."""

from typing import Annotated, Any, Final

from litestar import Controller, Request, delete, get, post, put
from litestar.params import JSONBody
from pydantic import Field, SecretStr

from api.bodies import Answer, Body
from api.deps import ApiDeps, Deps
from api.identity.authenticate import LOGGED_IN
from api.identity.issuer import Issuer, TokenPair, log_out
from api.identity.principal import Caller
from models.errors import NotFound
from models.queries.staff import staff_by_id

_MAX_PASSWORD: Final = 512  # what is taken in; the policy is stricter and says so

Secret = Annotated[SecretStr, Field(min_length=1, max_length=_MAX_PASSWORD)]


class LogInBody(Body):
    """An account of an institution, and its password."""

    tenant: Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{1,15}\Z")]
    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Secret


class RefreshBody(Body):
    """A refresh token, as it was given."""

    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=100)]


class PasswordBody(Body):
    """The present password and the next one."""

    current_password: Secret
    new_password: Secret


class TokenAnswer(Answer):
    """Tokens of a log-in. The refresh token changes with each use."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    staff_id: str
    password_change_required: bool


class MeAnswer(Answer):
    """The caller: account, roles and what they permit, at this moment."""

    staff_id: str
    tenant: str
    login: str
    name: str
    branch: str
    locale: str
    roles: list[str]
    permissions: list[str]
    authority_amount_minor: int
    authority_concession_bps: int
    auth_time: str
    password_change_required: bool


class SessionController(Controller):
    """Sessions of the local issuer. Where an outside issuer logs people in, they can only be ended here."""

    path = "/v1/sessions"
    tags = ("Sessions",)

    @post("/", opt={"public": True}, sync_to_thread=True, operation_id="LogIn")
    def log_in(self, data: JSONBody[LogInBody], deps: Deps, request: Request[Any, Any, Any]) -> TokenAnswer:
        """Open a session with a password."""
        pair = _issuer(deps).log_in(
            tenant=data.tenant, login=data.login, password=data.password.get_secret_value(), source=_source(request)
        )
        return _answer(pair)

    @post("/refresh", opt={"public": True}, sync_to_thread=True, status_code=200, operation_id="RefreshSession")
    def refresh(self, data: JSONBody[RefreshBody], deps: Deps) -> TokenAnswer:
        """Swap a refresh token for a new pair of tokens."""
        return _answer(_issuer(deps).refresh(data.refresh_token.get_secret_value()))

    @delete("/current", guards=[LOGGED_IN], opt={"password_change": True}, sync_to_thread=True, operation_id="LogOut")
    def log_out(self, deps: Deps, principal: Caller) -> None:
        """End the session that the token belongs to."""
        log_out(deps.database, principal, now=deps.clock())


class MeController(Controller):
    """The caller's own account."""

    path = "/v1/me"
    tags = ("Sessions",)
    guards = (LOGGED_IN,)
    opt = {"password_change": True}  # noqa: RUF012 - Litestar's attribute

    @get("/", sync_to_thread=True, operation_id="GetMe")
    def me(self, deps: Deps, principal: Caller) -> MeAnswer:
        """Who is calling, with which roles."""
        with deps.database.read() as session:
            found = staff_by_id(session, tenant=principal.tenant, staff_id=principal.staff_id)
        if found is None:
            raise NotFound
        return MeAnswer(
            staff_id=principal.staff_id,
            tenant=principal.tenant,
            login=principal.login,
            name=found.row.name,
            branch=principal.branch,
            locale=principal.locale,
            roles=sorted(principal.roles),
            permissions=sorted(principal.permissions),
            authority_amount_minor=principal.authority_amount_minor,
            authority_concession_bps=principal.authority_concession_bps,
            auth_time=principal.auth_time.isoformat(),
            password_change_required=found.row.password_initial,
        )

    @put("/password", sync_to_thread=True, status_code=204, operation_id="ChangePassword")
    def change_password(
        self, data: JSONBody[PasswordBody], deps: Deps, principal: Caller, request: Request[Any, Any, Any]
    ) -> None:
        """Choose another password; every session of the account ends, also this one."""
        _issuer(deps).change_password(
            principal,
            current=data.current_password.get_secret_value(),
            new=data.new_password.get_secret_value(),
            source=_source(request),
        )


def _issuer(deps: ApiDeps) -> Issuer:
    if deps.issuer is None:
        raise NotFound
    return deps.issuer


def _source(request: Request[Any, Any, Any]) -> str:
    client = request.scope.get("client")
    return client[0] if client is not None else "local"


def _answer(pair: TokenPair) -> TokenAnswer:
    return TokenAnswer(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106 - not a password
        expires_in=pair.expires_in_s,
        refresh_token=pair.refresh_token,
        staff_id=pair.staff_id,
        password_change_required=pair.password_change_required,
    )
