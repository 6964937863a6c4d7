"""Deny by default: every route but the public ones needs a verified token, and roles come from SQL at each request.

A route says who may call it in one of three ways, and `refuse_open_routes` stops a start with any other:
`opt={"public": True}`, `guards=[LOGGED_IN]`, or `guards=[requires(Permission.X)]`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.identity.tokens import VerifiedToken
from api.in_thread import in_thread
from models.domain.roles import Permission
from models.errors import FreshLoginRequired, NotAuthenticated, PasswordChangeRequired, UnsafeSetting
from models.queries.staff import staff_of_token

FRESH_MINUTES: Final = 5
_CLOCK_SKEW: Final = timedelta(seconds=5)
_BEARER: Final = b"bearer "


class AuthenticationMiddleware:
    """Verify the bearer token, look its owner up, and put the `Principal` where guards and handlers find it."""

    def __init__(self, app: ASGIApp, deps: ApiDeps) -> None:
        """Wrap the next ASGI app."""
        self._app = app
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or raise `NotAuthenticated`."""
        opt = scope["route_handler"].opt
        if opt.get("public") is not True:
            principal, initial = await self._principal(scope)
            if initial and not opt.get("password_change"):
                raise PasswordChangeRequired
            scope["user"] = principal
            scope["auth"] = None
        await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> tuple[Principal, bool]:
        token = self._deps.verifier.verify(_bearer(scope), now=self._deps.clock())
        return await in_thread(load_principal, self._deps, token)


def load_principal(deps: ApiDeps, token: VerifiedToken) -> tuple[Principal, bool]:
    """The caller behind a verified token, with roles of this moment; and whether the password is still somebody else's.

    Raises:
        NotAuthenticated: the token was revoked, or its owner is gone.
    """
    with deps.database.read() as session:
        found = staff_of_token(
            session, subject=token.subject, from_outside=token.from_outside, token_ids=(token.jti, token.session_id)
        )
    if found is None:
        raise NotAuthenticated
    row = found.row
    if row.not_before is not None and token.issued_at < row.not_before:
        raise NotAuthenticated
    principal = Principal(
        staff_id=row.id,
        person_id=row.person_id,
        tenant=row.tenant,
        login=row.login,
        branch=row.branch,
        locale=row.locale,
        roles=found.roles,
        authority_amount_minor=row.authority_amount_minor,
        authority_concession_bps=row.authority_concession_bps,
        auth_time=token.auth_time or datetime.fromtimestamp(0, UTC),  # an issuer that does not say: never fresh
        jti=token.jti,
        session_id=token.session_id,
    )
    return principal, row.password_initial and not token.from_outside


def _bearer(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    if len(values) != 1 or not values[0][: len(_BEARER)].lower() == _BEARER:
        raise NotAuthenticated
    try:
        return values[0][len(_BEARER) :].decode("ascii")
    except UnicodeDecodeError:
        raise NotAuthenticated from None


class Requires:
    """A guard: the caller is logged in and, if one is named, holds the permission."""

    def __init__(self, permission: Permission | None) -> None:
        """Name the permission; None for anyone who is logged in."""
        self.permission = permission

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        """Called by Litestar before the handler.

        Raises:
            NotAuthenticated: nobody is logged in.
            PermissionMissing: the caller's roles do not hold it.
        """
        user = connection.scope.get("user")
        if not isinstance(user, Principal):
            raise NotAuthenticated
        if self.permission is not None:
            user.require(self.permission)


def requires(permission: Permission) -> Requires:
    """Guard a route with a permission."""
    return Requires(permission)


LOGGED_IN: Final = Requires(None)


def fresh_login(principal: Principal, *, now: datetime, minutes: int = FRESH_MINUTES) -> None:
    """Refuse an act of weight to somebody whose password was given too long ago; a refresh does not count.

    Raises:
        FreshLoginRequired: with the limit in minutes.
    """
    age = now - principal.auth_time
    if age > timedelta(minutes=minutes) or age < -_CLOCK_SKEW:
        raise FreshLoginRequired(params={"minutes": minutes})


def provide_principal(request: Request[Any, Any, Any]) -> Principal:
    """Dependency `principal`.

    Raises:
        NotAuthenticated: the route is public and asks for a caller all the same.
    """
    user = request.scope.get("user")
    if not isinstance(user, Principal):
        raise NotAuthenticated
    return user


def required_permission(handler: HTTPRouteHandler) -> Requires | None:
    """The guard of a route that says who may call it; None if it has none."""
    return next((guard for guard in handler.resolve_guards() if isinstance(guard, Requires)), None)


def served_handlers(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Every route of the app: path template, method, handler. Litestar's own OPTIONS answers are left out."""
    return [
        (route.path, method, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if method != "OPTIONS"
    ]


def refuse_open_routes(app: Litestar) -> None:
    """Check that each route says who may call it.

    Raises:
        UnsafeSetting: naming the first that does not, or that says it twice.
    """
    for path, method, handler in served_handlers(app):
        if (handler.opt.get("public") is True) == (required_permission(handler) is not None):
            raise UnsafeSetting(detail=f"{method} {path} must be public or guarded, and not both")
