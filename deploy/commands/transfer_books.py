"""`casework book transfer`: two companies' books with customers in common, and who is whom."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.commands.options import JsonOption, print_json, say
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.demo.transfer_book import TransferBook
    from deploy.demo.transfers.recipe import Recipe

_MAX_SIZE: Final = 2_000_000
_SHARE: Final = re.compile(r"\A(\d{1,3})(?:\.(\d))?\s*%?\Z")


def register(app: typer.Typer) -> None:
    """Add the command of this file to `casework book`."""
    app.command("transfer")(transfer)


def transfer(
    out: Annotated[Path, typer.Option("--out", help="Folder for source.csv, target.csv, truth.csv.", file_okay=False)],
    source: Annotated[int, typer.Option("--source", min=2, max=_MAX_SIZE, help="Customers of the transferor.")] = 2_000,
    target: Annotated[int, typer.Option("--target", min=2, max=_MAX_SIZE, help="Customers of the acquirer.")] = 3_000,
    overlap: Annotated[str, typer.Option("--overlap", help="How many of the transferor's both know.")] = "20%",
    seed: Annotated[int, typer.Option("--seed", help="Same arguments and seed, same files.")] = 1,
    *,
    recipe: Annotated[str, typer.Option("--recipe", help="Dirt: a name (docs/book.md) or a TOML file.")] = "standard",
    encoding: Annotated[str, typer.Option("--encoding", help="Of source.csv: utf-8 or gb18030.")] = "utf-8",
    from_clients: Annotated[
        Path | None,
        typer.Option("--from-clients", help="Sex, age and number of the transferor's.", exists=True, dir_okay=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a transferor's dirty file, the acquirer's book, and the truth file that says who is whom."""
    from deploy.demo.clients import ClientsInvalid  # noqa: PLC0415
    from deploy.demo.transfer_book import SOURCE, TARGET, TRUTH, TransferBook, clients_of  # noqa: PLC0415

    if not force:
        taken = next((name for name in (SOURCE, TARGET, TRUTH) if (out / name).exists()), None)
        if taken is not None:
            raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out / taken} exists; choose another folder or give --force")
    try:
        clients = clients_of(from_clients) if from_clients is not None else ()
        book = TransferBook(
            source=len(clients) if from_clients is not None else source,
            target=target,
            overlap=per_mille(overlap),
            seed=seed,
            recipe=recipe_of(recipe),
            encoding=encoding,
            clients=clients,
        )
        facts = _with_progress(out, book)
    except (ClientsInvalid, ValueError) as error:
        raise CommandFailed(ExitCode.DATA, str(error)) from None
    except OSError as error:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out} cannot be written: {error.strerror}") from None
    if as_json:
        print_json(facts | {"path": out})
        return
    say(f"{facts['rows']} lines of {facts['source']} customers in {out / SOURCE}")
    say(f"{facts['target']} customers in {out / TARGET}, {facts['known']} of them the transferor's too")
    say(", ".join(f"{kind} {count}" for kind, count in facts["done"].items()) or "no dirt")


def per_mille(text: str) -> int:
    """`20%`, `20` or `12.5%` in per mille.

    Raises:
        CommandFailed: 65, it is no share.
    """
    found = _SHARE.match(text.strip())
    share = int(found.group(1)) * 10 + int(found.group(2) or 0) if found is not None else -1
    if not 0 <= share <= 1000:  # noqa: PLR2004
        raise CommandFailed(ExitCode.DATA, "--overlap: write a share from 0% to 100%, with at most one decimal")
    return share


def recipe_of(text: str) -> "Recipe":
    """A recipe by name or by file.

    Raises:
        CommandFailed: 65, there is none, or the file is none.
    """
    from deploy.demo.transfers.recipe import RECIPES, RecipeInvalid, read_recipe  # noqa: PLC0415

    if text in RECIPES:
        return RECIPES[text]
    path = Path(text)
    if not path.is_file():
        names = ", ".join(RECIPES)
        raise CommandFailed(ExitCode.DATA, f"--recipe {text}: no such file, and no recipe; there are {names}")
    try:
        return read_recipe(path)
    except RecipeInvalid as error:
        raise CommandFailed(ExitCode.DATA, f"{path}: {error}") from None


def _with_progress(out: Path, book: "TransferBook") -> Any:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from deploy.demo.transfer_book import SOURCE, TARGET, write_transfer_book  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)  # for a person who watches: standard output belongs to the answer
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bars = {
            SOURCE: bar.add_task("transferor", total=book.source),
            TARGET: bar.add_task("acquirer", total=book.target),
        }
        return write_transfer_book(out, book, progress=lambda name, done: bar.update(bars[name], completed=done))
