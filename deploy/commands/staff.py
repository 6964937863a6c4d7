"""`casework login`, `logout` and `staff`: client commands, over HTTP with a token like anyone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy import datadir
from deploy.clock import wall_clock
from deploy.commands.options import DataOption, JsonOption, print_json, private_process, say, settings_from
from deploy.exits import CommandFailed, ExitCode
from deploy.settings import client_config_dir
from models.domain.roles import Role

if TYPE_CHECKING:
    from deploy.client import ApiClient

UrlOption = Annotated[str | None, typer.Option("--url", help="Address of the API (CASEWORK_URL).", show_default=False)]
TokenOption = Annotated[
    Path | None, typer.Option("--token-file", help="File with an access token, instead of `login`.", exists=True)
]

app = typer.Typer(help="Staff accounts and their roles; a change of roles takes two persons.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands of this file."""
    parent.command("login")(login)
    parent.command("logout")(logout)
    parent.add_typer(app, name="staff")


def client_of(data: Path | None, url: str | None, token_file: Path | None = None) -> "ApiClient":
    """The API that these options mean, as the caller they mean."""
    from deploy.client import ApiClient, TokenStore, address_of  # noqa: PLC0415 - `up` stays small

    private_process()
    settings = settings_from(data, without_kek=True)
    return ApiClient(
        address_of(settings, url), tokens=TokenStore(client_config_dir()), now=wall_clock(), token_file=token_file
    )


def login(
    name: Annotated[str, typer.Argument(metavar="LOGIN", help="Name of the account.")],
    tenant: Annotated[str, typer.Option("--tenant")] = "main",
    data: DataOption = None,
    url: UrlOption = None,
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    development: Annotated[bool, typer.Option("--dev", help="Use the password that `casework up` made.")] = False,
) -> None:
    """Log in; the tokens are kept in the user's configuration folder, readable by the user alone."""
    if development:
        password = _development_password(data)
    elif password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True)
    with client_of(data, url) as client:
        answer = client.log_in(tenant=tenant, login=name, password=password)
        say(f"logged in at {client.url} as {answer['staffId']}")
    if answer["passwordChangeRequired"]:
        say("this password was set by somebody else: choose your own with PUT /v1/me/password")


def logout(data: DataOption = None, url: UrlOption = None) -> None:
    """End the session and forget its tokens."""
    with client_of(data, url) as client:
        client.log_out()


@app.command("list")
def list_accounts(
    data: DataOption = None, url: UrlOption = None, token_file: TokenOption = None, *, as_json: JsonOption = False
) -> None:
    """All accounts of the institution."""
    found: list[dict[str, Any]] = []
    with client_of(data, url, token_file) as client:
        cursor: str | None = None
        while True:
            page = client.call("GET", "/v1/staff?limit=200" + (f"&after={cursor}" if cursor else ""))
            found += page["items"]
            cursor = page["endCursor"]
            if cursor is None:
                break
    if as_json:
        print_json(found)
        return
    for account in found:
        state = "" if account["active"] else "  (shut)"
        say(f"{account['id']}  {account['login']:<24}{','.join(account['roles']) or '-'}{state}")


@app.command("create")
def create(
    login: Annotated[str, typer.Argument(help="Name of the account.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the person.")],
    branch: Annotated[str, typer.Option("--branch", help="Branch the person works in.")],
    person: Annotated[str | None, typer.Option("--person", help="Of a person who has an account already.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="`sub` at the outside issuer.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read a first password from stdin.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create an account. It has no role until two persons have given it one."""
    body: dict[str, Any] = {"login": login, "name": name, "branch": branch}
    if person is not None:
        body["personId"] = person
    if subject is not None:
        body["externalSubject"] = subject
    elif password_stdin:
        body["initialPassword"] = sys.stdin.readline().rstrip("\n")
    else:
        body["initialPassword"] = typer.prompt("First password", hide_input=True, confirmation_prompt=True)
    with client_of(data, url, token_file) as client:
        made = client.call("POST", "/v1/staff", body=body)
    if as_json:
        print_json(made)
    else:
        say(f"{made['id']}  {made['login']}")


@app.command("propose-roles")
def propose_roles(
    staff_id: Annotated[str, typer.Argument(help="stf_…")],
    *,
    role: Annotated[list[Role] | None, typer.Option("--role", help="Every role it shall hold; repeat it.")] = None,
    authority_minor: Annotated[int, typer.Option("--authority-minor", help="May approve up to, in fen.")] = 0,
    concession_bps: Annotated[int, typer.Option("--concession-bps", help="May approve up to, in basis points.")] = 0,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose all roles and authority that an account shall hold; a second person confirms."""
    with client_of(data, url, token_file) as client:
        account = client.call("GET", f"/v1/staff/{staff_id}")
        body = {
            "roles": [chosen.value for chosen in role or ()],
            "authorityAmountMinor": authority_minor,
            "authorityConcessionBps": concession_bps,
            "staffVersion": account["version"],
        }
        change = client.call("POST", f"/v1/staff/{staff_id}/role-changes", body=body)
    if as_json:
        print_json(change)
    else:
        say(f"proposed: casework staff confirm-roles {change['id']}   (by another person)")


@app.command("confirm-roles")
def confirm_roles(
    change_id: Annotated[str, typer.Argument(help="rch_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Confirm a change of roles as the second person; needs a log-in of the last five minutes."""
    with client_of(data, url, token_file) as client:
        change = client.call("GET", f"/v1/role-changes/{change_id}")
        if not as_json:
            say(f"account {change['staffId']}: roles {', '.join(change['roles']) or 'none'}")
            say(f"authority {change['authorityAmountMinor']} fen, concession {change['authorityConcessionBps']} bps")
            say(f"proposed by {change['proposedBy']}")
        if not yes:
            typer.confirm("Reject?" if reject else "Confirm?", abort=True)
        act = "rejection" if reject else "confirmation"
        decided = client.call("POST", f"/v1/role-changes/{change_id}/{act}", body={"shownHash": change["shownHash"]})
    if as_json:
        print_json(decided)
    else:
        say(decided["state"].lower())


def _development_password(data: Path | None) -> str:
    path = settings_from(data, without_kek=True).data.beside(".dev-login.json")
    known = datadir.read_json(path)
    if not isinstance(known, dict):
        raise CommandFailed(ExitCode.DATA, f"{path} does not exist; `casework up` makes it at its first start")
    return str(known["password"])
