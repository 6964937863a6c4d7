"""Watching a run of a batch: how far it is, and whom it waits for. The run goes on by itself; this only looks."""

from typing import TYPE_CHECKING, Any, Final

from deploy import batch_routes as routes
from deploy.commands.transfer_watch import Seen, waiting_for, watch
from models.domain.batches.states import RunStage
from models.domain.states import RECORD_TASKS

if TYPE_CHECKING:
    from deploy.client import ApiClient

STAGES: Final = tuple(stage.value for stage in RunStage)
_RECORD_TYPES: Final = [kind.value for kind in RECORD_TASKS if kind.value.startswith("batches.")]


def look(client: "ApiClient", token: str) -> Seen:
    """The run, its open tasks, those about rows and money, and its progress."""
    run = client.call("GET", routes.run(token))
    return Seen(run, waiting_for(client, token, _RECORD_TYPES), client.call("GET", routes.progress(token)))


def follow(client: "ApiClient", token: str, *, until: str | None, quiet: bool) -> Seen:
    """Watch a run as far as it goes without people, with a bar on a terminal."""
    from rich.console import Console  # noqa: PLC0415 - `--help` stays small
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    console = Console(stderr=True)
    seen: Seen | None = None
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        stages, orders = bar.add_task("stages", what=""), bar.add_task("orders", total=None, what="", visible=False)
        for seen in watch(client, token, until=until, look=look, stages=STAGES):
            told = seen.progress
            bar.update(stages, completed=told["stagesDone"], total=told["stages"], what=seen.stage)
            made, expected = rows_of(told["orders"]), rows_of(told["expected"])
            total = max(made, expected)
            bar.update(orders, completed=made, total=total or None, visible=bool(total), what=f"{made} of {total} rows")
    assert seen is not None
    return seen


def rows_of(sums: dict[str, Any]) -> int:
    """Rows of all states together."""
    return sum(int(each["count"]) for each in sums.values())
