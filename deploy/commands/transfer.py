"""`casework transfer`, client commands: a transfer job (公司转让后的客户信息变更), over HTTP with a token."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

import typer

from deploy import transfer_routes as routes
from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.commands.transfer_files import read_text, write_new
from deploy.commands.transfer_watch import STAGES, Seen, look, watch
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.client import ApiClient

app = typer.Typer(
    help="Transfers of customers after a company transfer (公司转让后的客户信息变更).", no_args_is_help=True
)
Job = Annotated[str, typer.Argument(help="Token of the job.", metavar="JOB")]
Place = Annotated[str, typer.Option("--place", help="Name of a file in the exchange folder, or of a connection.")]
Kind = Annotated[str, typer.Option("--kind", help="csv, xlsx, sql or book.")]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="Mapping file (TOML).", exists=True, dir_okay=False)
]
_FORMATS: Final = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}


@app.callback()
def group() -> None:
    """Transfers of customers after a company transfer (公司转让后的客户信息变更)."""


@app.command("template")
def template(
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="Plan file to write (TOML).", dir_okay=False)],
    cutover: Annotated[str, typer.Option("--cutover", help="Day of the cut-over, YYYY-MM-DD.")],
    classes: Annotated[
        str, typer.Option("--classes", help="A to F, `,G` besides where the recipient is abroad.")
    ] = "C",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a plan of a class of legal events to fill in; whoever asks stands for every role until others are named."""
    query = urlencode({"classes": classes, "cutoverOn": cutover})
    with client_of(data, url, token_file) as client:
        told = client.call("GET", f"{routes.PLAN_TEMPLATE}?{query}")
    write_new(out, str(told["toml"]).encode(), force=force)
    say(f"a plan of class {classes} to fill in: {out}")


@app.command("new")
def new(
    plan: Annotated[Path, typer.Argument(help="Plan of the job (TOML).", exists=True, dir_okay=False)],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    event: Annotated[str, typer.Option("--event", help="share-transfer, merger, division, asset-sale, dissolution …")],
    transferred: Annotated[
        str, typer.Option("--transferred", help="customer-company, institution or portfolio.")
    ] = "institution",
    source_tenant: Annotated[
        str | None, typer.Option("--source-tenant", help="Whose book is here too; left out: files only.")
    ] = None,
    abroad: Annotated[bool, typer.Option("--abroad", help="The recipient is abroad.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Begin a job from its plan and the legal event; the caller's institution is the one that receives."""
    body: dict[str, Any] = {
        "planToml": read_text(plan),
        "transferEvent": event,
        "transferred": transferred,
        "recipientAbroad": abroad,
    }
    if source_tenant is not None:
        body["sourceTenant"] = source_tenant
    with client_of(data, url, token_file) as client:
        made = client.call("POST", routes.TRANSFERS, body=body)
    if as_json:
        print_json(made)
    else:
        say(f"{made['job']}  class {', '.join(made['classes'])}  {made['stage']}")


@app.command("check")
def check(
    job: Job,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say what stands against a job's next stage: missing evidence, rules with citation; exit 1 if anything does."""
    with client_of(data, url, token_file) as client:
        seen = look(client, job)
        missing = client.call("GET", routes.evidence(job))["missing"]
        asked = [
            client.call("GET", f"{routes.TASKS}/{task['id']}") for task in seen.waiting if task["caseToken"] == job
        ]
    rules = [rule for task in asked for rule in task["blocked"]]
    if as_json:
        print_json({"stage": seen.stage, "missingEvidence": missing, "rules": rules})
    else:
        for kind in missing:
            say(f"evidence missing: {kind}")
        for rule in rules:
            facts = f"  (not known: {', '.join(rule['missing'])})" if rule.get("missing") else ""
            say(f"{rule['rule']}: {rule['title']}  {rule.get('citation') or ''}{facts}")
        if not missing and not rules:
            say("nothing stands against it")
    raise typer.Exit(ExitCode.FAILED if missing or rules else ExitCode.OK)


@app.command("suggest")
def suggest(
    job: Job,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    place: Place,
    kind: Kind = "csv",
    out: Annotated[Path | None, typer.Option("--out", help="Write the mapping here.", dir_okay=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Suggest a mapping of a source: a draft for a person, with how sure it is of each field."""
    with client_of(data, url, token_file) as client:
        told = client.call("POST", routes.suggestion(job), body={"kind": kind, "place": place})
    if out is not None:
        write_new(out, str(told["mapping"]).encode(), force=force)
    if as_json:
        print_json(told)
        return
    for each in told["fields"]:
        where = each["column"] if each["column"] is not None else f"always {each['constant']}"
        say(f"{each['field']:<16}{where:<24}{each['confidence'] // 10} %")
    for name in told["missing"]:
        say(f"{name:<16}no column seems to hold it")
    if out is None:
        say(told["mapping"])


@app.command("preview")
def preview(
    job: Job,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    place: Place,
    kind: Kind = "csv",
    mapping: MappingFile = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=50, help="So many of the first.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show the first rows of a source under a mapping, masked, with what the rules say of them."""
    body: dict[str, Any] = {"kind": kind, "place": place, "rows": rows}
    if mapping is not None:
        body["mapping"] = read_text(mapping)
    with client_of(data, url, token_file) as client:
        told = client.call("POST", routes.preview(job), body=body)
    if as_json:
        print_json(told)
        return
    for rule in told["rules"]:
        say(f"{rule['rows']:>6} of {told['sampled']}  {rule['severity']:<7}{rule['field']}: {rule['title']}")
    for row in told["rows"]:
        values = "  ".join(f"{name}={value}" for name, value in row["values"].items())
        faults = ", ".join(f"{fault['field']}: {fault['title']}" for fault in row["faults"])
        say(f"line {row['line']}: {values}" + (f"  [{faults}]" if faults else ""))


@app.command("run")
def run(
    job: Job,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    until: Annotated[str | None, typer.Option("--until", help="Stop behind this stage.", metavar="STAGE")] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a job as far as it goes without people, and say whom it waits for.

    Exit 0: it is completed, or behind the wanted stage. 1: it ended otherwise. 75: it is paused, or people are asked.
    """
    if until is not None and until not in STAGES:
        raise CommandFailed(ExitCode.DATA, f"--until: one of {', '.join(STAGES)}")
    with client_of(data, url, token_file) as client:
        seen = _follow(client, job, until, quiet=as_json)
    if as_json:
        print_json({"job": seen.job, "waiting": seen.waiting})
    else:
        _tell(seen)
    raise typer.Exit(_code(seen, until))


@app.command("status")
def status(
    job: Annotated[str | None, typer.Argument(help="Token of the job; without it the newest jobs.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Where a job stands, its figures, and whom it waits for."""
    with client_of(data, url, token_file) as client:
        if job is None:
            found = client.call("GET", routes.TRANSFERS)["items"]
            if as_json:
                print_json(found)
                return
            for each in found:
                say(f"{each['job']}  {each['stage']:<16}{each['outcome'] or ''}")
            return
        seen = look(client, job)
    if as_json:
        print_json({"job": seen.job, "waiting": seen.waiting})
    else:
        _tell(seen)


@app.command("rollback")
def rollback(
    job: Job,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    wave: Annotated[int, typer.Option("--wave", min=0, help="One wave; 0 is the whole job.")] = 0,
    record: Annotated[str | None, typer.Option("--record", help="One customer only (cus_…).")] = None,
    reason: Annotated[str, typer.Option("--reason", help="A code.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask for a rollback of a record, a wave or the whole job; a second person confirms it in the inbox."""
    what = f"record {record}" if record is not None else f"wave {wave}" if wave else "the whole job"
    if not yes:
        typer.confirm(f"Roll back {what} of {job}?", abort=True)
    path: str = routes.rollbacks(job)
    body: dict[str, Any] = {"reasonCode": reason} | ({"wave": wave} if wave else {})
    if record is not None:
        path, body = routes.record_rollbacks(job, record), {"reasonCode": reason}
    with client_of(data, url, token_file) as client:
        asked = client.call("POST", path, body=body)
    if as_json:
        print_json(asked)
    else:
        say(f"asked for: rollback of {what}; another person confirms it")


@app.command("report")
def report(
    job: Job,
    out: Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN",
    form: Annotated[str | None, typer.Option("--format", help="html, pdf or json; else by the file's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write the internal audit report of a job to a file."""
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in _FORMATS:
        raise CommandFailed(ExitCode.DATA, f"--format: one of {', '.join(_FORMATS)}")
    with client_of(data, url, token_file) as client:
        path = f"{routes.report(job)}?format={chosen}&language={language}"
        content = client.download(path, accept=_FORMATS[chosen], language=language)
    write_new(out, content, force=force)
    say(f"{len(content)} bytes in {out}")


def _follow(client: "ApiClient", job: str, until: str | None, *, quiet: bool) -> Seen:
    from rich.console import Console  # noqa: PLC0415 - `--help` stays small
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    console = Console(stderr=True)
    seen: Seen | None = None
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        stages = bar.add_task("stages", total=len(STAGES) - 1, what="")
        parts = bar.add_task("waves", total=None, what="", visible=False)
        for seen in watch(client, job, until=until):
            bar.update(stages, completed=STAGES.index(seen.stage), what=seen.stage)
            moved, total = _moved(seen.progress)
            bar.update(
                parts, completed=moved, total=total or None, visible=bool(total), what=f"{moved} of {total} waves"
            )
    assert seen is not None
    return seen


def _moved(progress: dict[str, Any]) -> tuple[int, int]:
    """How many waves have moved, of how many."""
    waves: dict[str, int] = progress.get("waves") or {}
    return waves.get("moved", 0), sum(waves.values())


def _tell(seen: Seen) -> None:
    job = seen.job
    say(f"{job['job']}  {job['stage']}" + (f"  {job['outcome']}" if job.get("outcome") else ""))
    told = (job.get("counts") or {}) | {name: seen.progress.get(name, {}) for name in ("rows", "waves")}
    for name, figure in _figures(told):
        say(f"  {name:<28}{figure}")
    if seen.is_paused:
        say("paused by a person")
    for line in seen.whom():
        say(f"waits for {line}")


def _figures(counts: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in counts.items():
        if isinstance(value, dict):
            found += _figures(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _code(seen: Seen, until: str | None) -> ExitCode:
    if seen.outcome is not None:
        return ExitCode.OK if seen.outcome == "completed" else ExitCode.FAILED
    if until is not None and STAGES.index(seen.stage) > STAGES.index(until):
        return ExitCode.OK
    return ExitCode.TEMPORARY
