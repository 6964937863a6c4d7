"""`Idempotency-Key`: a request that is sent again has its effect once and gets the same answer.

In an `async` handler:

    slot = key_slot(principal, route=f"tasks.decide/{task_id}", key=idempotency_key)
    digest = await in_thread(fingerprint, deps, slot, data)

    def act() -> str:                                       # in a thread; one unit of work
        with unit_of_work(deps.database, deed) as unit:
            open_key(unit.session, slot, fingerprint=digest, resource_id=decision_id, now=now)   # first of all
            ...                                             # the effect
        return decision_id

    return await once(deps, slot, fingerprint=digest, act=act, finish=…, rebuild=…)

`finish` runs after the commit, outside any transaction (the Update to the workflow), and gives the answer that is then
stored. `rebuild` makes an answer from what the effect made: for a row whose answer was never stored because the process
died between commit and answer, or because the answer shows data about a person, which stored answers must not hold.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, SkipValidation
from pydantic import BaseModel

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.in_thread import in_thread
from compliance.audit.deeds import canonical_json
from compliance.audit.unit import bookkeeping
from compliance.vault.purposes import Purpose
from models.errors import IdempotencyInFlight, IdempotencyKeyMissing, IdempotencyMismatch
from models.operations.idempotency import MAX_ROUTE, KeySlot, KeyTaken, find_key, store_answer
from models.tables.platform import IdempotencyKey

WAIT_S: Final = 2.0  # as long as the first request may wait for its workflow
_POLL_S: Final = 0.05
# After that the first request is not under way any more, whatever the row says: its process died.
_ABANDONED_AFTER: Final = timedelta(seconds=10)
_KEY: Final = re.compile(r"\A[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """An answer as it is kept and given again. The body holds no identifying data."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Rebuild = Callable[[str], Stored]
"""From a resource id to the answer; runs in a thread. What it returns may hold personal data: it is not stored."""


Settled = Callable[[str], bool]
"""From a resource id to whether its fate is known; runs in a thread."""


def parse_key(header: str | None) -> str:
    """The checked value of the header.

    Raises:
        IdempotencyKeyMissing: there is none, or it is not 1 to 255 printable ASCII characters.
    """
    if header is None or _KEY.match(header) is None:
        raise IdempotencyKeyMissing(params={"header": "Idempotency-Key"})
    return header


def provide_key(key_header: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None) -> str:
    """Dependency `idempotency_key`."""
    return parse_key(key_header)


KeyHeader = NamedDependency[SkipValidation[str]]
"""How a handler asks for the checked header: `idempotency_key: KeyHeader`."""


def key_slot(principal: Principal, *, route: str, key: str) -> KeySlot:
    """The slot of a member of staff's request. `route` is the operation and the ids in its path."""
    return KeySlot(tenant=principal.tenant, principal=principal.staff_id, route=route[:MAX_ROUTE], key=key)


def fingerprint(deps: ApiDeps, slot: KeySlot, body: BaseModel | dict[str, Any] | str) -> str:
    """Keyed digest of what was asked; tells two bodies apart and tells nothing of either.

    Args:
        deps: for the key, which is the tenant's own.
        slot: whose request.
        body: the parsed body, or for a file its digest. Order of members and white space do not count.
    """
    value = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
    key = deps.vault.purpose_key(slot.tenant, Purpose.FINGERPRINT)
    return hmac.new(key, canonical_json([slot.route, value]).encode(), hashlib.sha256).hexdigest()


async def once(
    deps: ApiDeps,
    slot: KeySlot,
    *,
    fingerprint: str,
    act: Callable[[], str],
    rebuild: Rebuild,
    finish: Callable[[str], Awaitable[Stored]] | None = None,
    settled: Settled | None = None,
) -> Response[Any]:
    """Have the effect once, and answer every request under the key alike.

    Args:
        deps: database and clock.
        slot: the key's place.
        fingerprint: of this request.
        act: the effect in one unit of work that begins with `open_key`; runs in a thread, returns the resource's id.
        rebuild: the answer from the resource's id.
        finish: what follows the commit; without it the answer comes from `rebuild`.
        settled: whether what `finish` waits for has come, also if the first request died before it could say so.

    Raises:
        IdempotencyMismatch: the key was used with another body.
        IdempotencyInFlight: the first request did not end within this one's budget.
    """
    rebuilding = _Rebuilding(rebuild, settled)
    try:
        done = await in_thread(_act_first, deps, slot, act, rebuild if finish is None else None)
    except KeyTaken:
        return await _wait_for_first(deps, slot, fingerprint=fingerprint, rebuilding=rebuilding)
    if done.answer is not None:
        return _response(done.answer)
    assert finish is not None
    answer = await finish(done.resource_id)
    await in_thread(_store, deps, slot, answer)
    return _response(answer)


@dataclass(frozen=True, slots=True)
class _Done:
    """The effect of a first request, and its answer where nothing has to be waited for."""

    resource_id: str
    answer: Stored | None


def _act_first(deps: ApiDeps, slot: KeySlot, act: Callable[[], str], rebuild: Rebuild | None) -> _Done:
    """One way into a thread for all that a first request does there; blocking.

    Raises:
        KeyTaken: it is not the first.
    """
    if _find(deps, slot) is not None:
        raise KeyTaken
    resource_id = act()
    return _Done(resource_id, rebuild(resource_id) if rebuild is not None else None)


async def _wait_for_first(
    deps: ApiDeps, slot: KeySlot, *, fingerprint: str, rebuilding: "_Rebuilding"
) -> Response[Any]:
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while True:
        row = await in_thread(_find, deps, slot)
        if row is not None:
            if not hmac.compare_digest(row.fingerprint, fingerprint):
                raise IdempotencyMismatch
            if row.status is not None and row.headers is not None:
                return _response(Stored(status=row.status, body=row.body, headers=row.headers))
            if row.resource_id is not None and await in_thread(rebuilding.may_answer, deps, row):
                return _response(await in_thread(rebuilding.rebuild, row.resource_id))
        if asyncio.get_running_loop().time() >= deadline:
            raise IdempotencyInFlight
        await asyncio.sleep(_POLL_S)


@dataclass(frozen=True, slots=True)
class _Rebuilding:
    """How an answer is made from the resource, and when that may be done for a first request that has not answered."""

    rebuild: Rebuild
    settled: Settled | None

    def may_answer(self, deps: ApiDeps, row: IdempotencyKey) -> bool:
        """Answered but not stored in words, settled by others meanwhile, or abandoned."""
        if row.status is not None or deps.clock() - row.created_at > _ABANDONED_AFTER:
            return True
        return self.settled is not None and row.resource_id is not None and self.settled(row.resource_id)


def _find(deps: ApiDeps, slot: KeySlot) -> IdempotencyKey | None:
    with deps.database.read() as session:
        return find_key(session, slot)


def _store(deps: ApiDeps, slot: KeySlot, answer: Stored) -> None:
    with bookkeeping(deps.database) as session:
        store_answer(session, slot, status=answer.status, body=answer.body, headers=answer.headers)


def _response(answer: Stored) -> Response[Any]:
    return Response(answer.body, status_code=answer.status, headers=answer.headers)
