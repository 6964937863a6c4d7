"""`casework tenant`: a legal entity and its first two administrators. Everybody else is created over HTTP."""

from datetime import datetime
from typing import Annotated

import typer

from deploy import datadir
from deploy.commands.options import (
    DataOption,
    JsonOption,
    need_installation,
    print_json,
    private_process,
    say,
    settings_from,
)
from deploy.exits import CommandFailed, ExitCode
from deploy.values import IssuerMode

app = typer.Typer(help="Legal entities (机构).", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Legal entities (机构)."""


@app.command("create")
def create(
    code: Annotated[str, typer.Argument(help="2 to 16 lower-case letters, digits, hyphens.")],
    name: Annotated[str, typer.Option("--name", help="Name of the legal entity.")],
    admin: Annotated[list[str], typer.Option("--admin", help="LOGIN, or LOGIN=SUBJECT with an outside issuer. Twice.")],
    data: DataOption = None,
    *,
    address: Annotated[str | None, typer.Option("--address", help="As contracts print it.")] = None,
    hotline: Annotated[str | None, typer.Option("--hotline", help="Telephone for customers, as printed.")] = None,
    complaints: Annotated[str | None, typer.Option("--complaints", help="Way to complain, as printed.")] = None,
    collection_account: Annotated[str | None, typer.Option("--collection-account", help="Where debits go.")] = None,
    collection_bank: Annotated[
        str | None, typer.Option("--collection-bank", help="Its bank's number (联行号).")
    ] = None,
    model_assessed_on: Annotated[
        datetime | None,
        typer.Option("--model-assessed-on", formats=["%Y-%m-%d"], help="Approval of the model's impact assessment."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Create a tenant with its keys, its seal and at least two staff administrators, who create everybody else.

    With the local issuer each gets a first password, printed once, which they must change.
    """
    from deploy.bootstrap import Account, Legal, create_tenant, new_password  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415
    from models.domain.roles import Role  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    need_installation(settings)
    outside = settings.identity.mode is IssuerMode.OIDC
    accounts = [
        Account(
            login=login,
            name=login,
            roles=(Role.STAFF_ADMIN,),
            subject=subject,
            password=None if outside else new_password(),
        )
        for login, subject in (_login_and_subject(given, outside=outside) for given in admin)
    ]
    with datadir.exclusive(settings, purpose="tenant create"), open_stores(settings) as stores:
        vault = build_vault(settings, stores, wall_clock)
        legal = Legal(
            name=name,
            address=address,
            hotline=hotline,
            complaints=complaints,
            collection_account=collection_account,
            collection_bank=collection_bank,
            model_assessed_on=model_assessed_on.date() if model_assessed_on is not None else None,
        )
        ids = create_tenant(stores, vault, code=code, legal=legal, accounts=accounts, now=wall_clock())
    made = [
        {"id": staff_id, "login": account.login, "password": account.password}
        for staff_id, account in zip(ids, accounts, strict=True)
    ]
    _report(code, made, as_json=as_json)


def _report(code: str, made: list[dict[str, str | None]], *, as_json: bool) -> None:
    if as_json:
        print_json({"tenant": code, "staff": made})
        return
    say(f"tenant {code}")
    for one in made:
        say(f"  {one['login']}  {one['id']}" + (f"  first password {one['password']}" if one["password"] else ""))


def _login_and_subject(given: str, *, outside: bool) -> tuple[str, str | None]:
    login, _, subject = given.partition("=")
    if bool(subject) != outside:
        raise CommandFailed(
            ExitCode.DATA,
            "--admin LOGIN=SUBJECT: the outside issuer's `sub` is needed"
            if outside
            else "--admin LOGIN=SUBJECT is for an outside issuer (CASEWORK_ISSUER=oidc)",
        )
    return login, subject or None
