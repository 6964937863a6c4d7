"""Which tasks a viewer sees, as one SQL condition that search, read and claim share: never filtered after paging."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, cast, literal_column, not_, or_, true
from sqlmodel import col

from models.domain.states import OPEN_TASK_STATES
from models.domain.viewer import ANY_BRANCH, Viewer
from models.tables.tasks import Task

# Written out, not bound: only then can either database prove that the partial indexes of open tasks hold the answer.
IS_OPEN: Final[ColumnElement[bool]] = col(Task.state).in_(
    [literal_column(f"'{state.value}'") for state in OPEN_TASK_STATES]
)


def visible(*, tenant: str, viewer: Viewer) -> ColumnElement[bool]:
    """Tasks of the tenant that are meant for one of the viewer's roles, in the viewer's branch."""
    return and_(col(Task.tenant) == tenant, _of_role(viewer), _of_branch(viewer))


def candidate(viewer: Viewer) -> ColumnElement[bool]:
    """Tasks that the viewer may work on: of their role and branch, and not barred to them as a maker (四眼)."""
    roles = col(Task.candidate_role).in_(sorted(viewer.roles))
    return and_(roles, _of_branch(viewer), not_(_excludes(viewer.person_id)))


def _of_role(viewer: Viewer) -> ColumnElement[bool]:
    return true() if viewer.sees_every_role else col(Task.candidate_role).in_(sorted(viewer.roles))


def _of_branch(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.branch == ANY_BRANCH:
        return true()
    return or_(col(Task.branch) == viewer.branch, col(Task.branch) == ANY_BRANCH)


def _excludes(person_id: str) -> ColumnElement[bool]:
    # The list is JSON text of quoted tokens, which hold neither quotes nor escapes: a quoted token is in it or is not.
    excluded: ColumnElement[Any] = cast(col(Task.excluded_persons), Text)
    return excluded.contains(f'"{person_id}"', autoescape=True)
