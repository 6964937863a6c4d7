"""Record layouts (文件布局) of a tenant: its own by name and version, else those that come with the product."""

from sqlmodel import Session, col, select

from models.domain.batches.files.layout import Layout
from models.domain.batches.files.layout_files import READY, read_layout, ready_layout
from models.errors import LayoutUnknown
from models.tables.batch_imports import BatchLayout

READY_VERSION = "ready"


def find_layout(session: Session, tenant: str, name: str, version: str | None = None) -> tuple[str, str, Layout]:
    """A layout with its name and version; without a version the tenant's newest, else the product's.

    Raises:
        LayoutUnknown: there is none of that name and version.
    """
    if version != READY_VERSION:
        found = (
            session.get(BatchLayout, (tenant, name, version))
            if version is not None
            else next(iter(layouts_of(session, tenant, name=name)), None)
        )
        if found is not None:
            return found.name, found.version, read_layout(found.body)
    if version in (None, READY_VERSION) and name in READY:
        return name, READY_VERSION, ready_layout(name)
    raise LayoutUnknown(params={"layout": name, "version": version or "-"})


def layouts_of(session: Session, tenant: str, *, name: str | None = None) -> list[BatchLayout]:
    """A tenant's own layouts, the newest of each name first."""
    query = select(BatchLayout).where(col(BatchLayout.tenant) == tenant)
    if name is not None:
        query = query.where(col(BatchLayout.name) == name)
    newest = query.order_by(col(BatchLayout.name), col(BatchLayout.created_at).desc(), col(BatchLayout.version).desc())
    return list(session.exec(newest))
