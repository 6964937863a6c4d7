"""Record layouts over HTTP (文件布局): those of the product, and an institution's own in versions that never change."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from api.batches import run_acts
from api.bodies import Answer, Body
from api.deps import ApiDeps, Deps
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from compliance.audit.unit import unit_of_work
from models.domain.batches.files.layout_files import READY, parse_layout, ready_layout
from models.domain.roles import Permission
from models.errors import Conflict, LayoutUnknown, NotFound
from models.operations.batches.importing import keep_layout
from models.operations.idempotency import KeySlot, open_key
from models.queries.batches.layouts import READY_VERSION, find_layout, layouts_of

PATH: Final = "/v1/batch-layouts"
_READ: Final = [requires(Permission.BATCHES_READ)]
Version = Annotated[str | None, QueryParameter(name="version")]


class NewLayoutBody(Body):
    """A layout file (docs/batch-files.md)."""

    toml: Annotated[str, Field(min_length=1, max_length=60_000)]


class LayoutAnswer(Answer):
    """A layout. `version` is `ready` of those that come with the product."""

    name: str
    version: str
    kind: str
    form: str
    titles: dict[str, str]
    fields: dict[str, str]
    body: dict[str, Any]


class LayoutItem(Answer):
    """A layout in a list."""

    name: str
    version: str
    kind: str
    form: str


class LayoutList(Answer):
    """Layouts: the institution's own, the newest version of each first, then the product's."""

    items: list[LayoutItem]


class BatchLayoutController(Controller):
    """How files of batches are read."""

    path = PATH
    tags = ("Batches",)

    @get("/", guards=_READ, sync_to_thread=True, operation_id="ListBatchLayouts")
    def list_all(self, deps: Deps, principal: Caller) -> LayoutList:
        """Every layout that a file can name."""
        with deps.database.read() as session:
            own = [
                LayoutItem(
                    name=each.name, version=each.version, kind=each.body["kind"], form=each.body["file"]["format"]
                )
                for each in layouts_of(session, principal.tenant)
                if each.version != READY_VERSION
            ]
        ready = [
            LayoutItem(name=name, version=READY_VERSION, kind=layout.kind, form=layout.file.format.value)
            for name in READY
            for layout in (ready_layout(name),)
        ]
        return LayoutList(items=own + ready)

    @get("/{name:str}", guards=_READ, sync_to_thread=True, operation_id="GetBatchLayout")
    def get_one(self, name: FromPath[str], deps: Deps, principal: Caller, version: Version = None) -> LayoutAnswer:
        """One layout; the institution's newest, if no version is named."""
        return _answer(deps, principal, name, version)

    @post("/", guards=[requires(Permission.BATCHES_RUN)], operation_id="AddBatchLayout")
    async def add(
        self, data: JSONBody[NewLayoutBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[LayoutAnswer]:
        """Add the next version of a layout; files that were read by an earlier one keep it."""
        slot = key_slot(principal, route="batches.add-layout", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(resource: str) -> Stored:
            name, _, version = resource.rpartition("/")
            answer = _answer(deps, principal, name, version)
            headers = {"Location": f"{PATH}/{name}?version={version}"}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _add(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )


def _add(deps: ApiDeps, principal: Principal, body: NewLayoutBody, *, slot: KeySlot, digest: str) -> str:
    layout, now = parse_layout(body.toml), deps.clock()
    deed = run_acts.deed(principal, "batch.layout-added", principal.tenant, now, layout=layout.name)
    with unit_of_work(deps.database, deed) as unit:
        known = layouts_of(unit.session, principal.tenant, name=layout.name)
        version = str(sum(each.version != READY_VERSION for each in known) + 1)
        named = f"{layout.name}/{version}"
        open_key(unit.session, slot, fingerprint=digest, resource_id=named, status=HTTPStatus.CREATED, now=now)
        if not keep_layout(
            unit.session, principal.tenant, layout.name, version, layout, by=principal.staff_id, now=now
        ):
            raise Conflict(detail=named)  # somebody else has added that version at this moment
        unit.deed.facts |= {"version": version}
    return named


def _answer(deps: ApiDeps, principal: Principal, name: str, version: str | None) -> LayoutAnswer:
    with deps.database.read() as session:
        try:
            named, known, layout = find_layout(session, principal.tenant, name, version)
        except LayoutUnknown:
            raise NotFound from None
    return LayoutAnswer(
        name=named,
        version=known,
        kind=layout.kind,
        form=layout.file.format.value,
        titles=dict(layout.titles),
        fields={field: each.kind.value for field, each in layout.fields.items()},
        body=layout.model_dump(mode="json", exclude_none=True),
    )
