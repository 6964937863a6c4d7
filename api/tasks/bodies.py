"""What routes of the inbox take. A decision's own shape depends on the task: `models.domain.forms` reads it."""

from typing import Annotated, Any, Final

from pydantic import Field

from api.bodies import Body
from models.domain.form_base import MAX_NOTE_CHARS
from models.queries.task_pages import TaskSort
from models.queries.tasks import MAX_PAGE

DEFAULT_PAGE: Final = 50
_MAX_CURSOR: Final = 400  # characters


class TaskSearchBody(Body):
    """A page of the inbox.

    `filter`: members `type`, `state`, `branch`, `candidateRole`, `assignee`, `caseToken`, `amountMinor`, `dueAt`,
    `createdAt`, `overdue`; each a literal or an object of the operators `$eq $neq $in $notIn $gt $gte $lt $lte $exists`
    that fit it. All must hold; an unknown member or operator is refused. `state` also takes `open`, which is meant when
    `state` is left out; `assignee` also takes `me` and `none`. `cursor` carries its order; `sort` may then be left out.
    Without `facets` the answer has no counts.
    """

    filter: dict[str, Any] = Field(default_factory=dict)
    sort: TaskSort | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, Field(max_length=_MAX_CURSOR)] | None = None
    facets: bool = True


class CommentBody(Body):
    """A remark on a task; sealed before it is kept."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")]
