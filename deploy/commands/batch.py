"""`casework batch`: batches of debits and payments (批量业务)."""

import typer

app = typer.Typer(help="Batches of debits and payments (批量业务).", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Batches of debits and payments (批量业务)."""
