"""`casework rules`: the law-cited rules as a compliance officer works with them.

`list`, `show` and `evaluate` need no installation and no network: rules are a part of the product. What is settled over
them (`deploy.commands.rule_desk`) speaks HTTP with a token like anyone.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands.options import JsonOption, print_json, say
from deploy.exits import CommandFailed, ExitCode
from models.errors import FormInvalid

app = typer.Typer(help="The law-cited rules (合规规则).", no_args_is_help=True)

GateOption = Annotated[str | None, typer.Option("--gate", help="A gate, as `installments.signing` or `signing`.")]
LocaleOption = Annotated[str, typer.Option("--locale", help="zh-CN or en: language of titles, laws and reasons.")]


@app.callback()
def group() -> None:
    """The law-cited rules (合规规则)."""


@app.command("list")
def list_rules(
    *,
    gate: GateOption = None,
    area: Annotated[str | None, typer.Option("--area", help="First part of a gate's name: installments, …")] = None,
    law: Annotated[
        str | None, typer.Option("--law", help="Part of the law's name, or the beginning of the rule's id.")
    ] = None,
    severity: Annotated[str | None, typer.Option("--severity", help="BLOCK or WARN.")] = None,
    provisional: Annotated[
        bool | None, typer.Option("--provisional/--verified", help="Only rules whose text in force was (not) seen.")
    ] = None,
    in_force: Annotated[str | None, typer.Option("--in-force", help="Only versions in force on YYYY-MM-DD.")] = None,
    locale: LocaleOption = "en",
    as_json: JsonOption = False,
) -> None:
    """List rules, every version of each; without options all of them."""
    from compliance.desk.selection import Wanted, gate_named, rules_wanted  # noqa: PLC0415
    from compliance.desk.telling import told_rule  # noqa: PLC0415
    from compliance.rules.evaluate import RULE_SET_VERSION  # noqa: PLC0415
    from compliance.rules.results import Severity  # noqa: PLC0415

    on = date_of(in_force, "--in-force") if in_force else None
    if severity is not None and severity not in set(Severity):
        raise CommandFailed(ExitCode.COMMAND_LINE, f"--severity: {', '.join(Severity)}")
    with refused():
        wanted = Wanted(
            gate=gate_named(gate) if gate else None,
            area=area,
            law=law,
            severity=Severity(severity) if severity else None,
            provisional=provisional,
            on=on,
        )
    found = [told_rule(rule, locale=locale, on=on) for rule in rules_wanted(wanted)]
    if as_json:
        print_json({"ruleSetVersion": RULE_SET_VERSION, "items": found})
        return
    for each in found:
        marks = f"{each['severity']:5} {each['verified']}{' (provisional)' if each['provisional'] else ''}"
        say(f"{each['ruleId']:16} {_dates(each):24} {marks:22} {each['title']}")
    say(f"{len(found)} versions of {len({each['ruleId'] for each in found})} rules; rule set {RULE_SET_VERSION}")


@app.command("show")
def show(
    rule_id: Annotated[str, typer.Argument(help="As `list` shows it: CCM-70b.")],
    locale: LocaleOption = "en",
    *,
    as_json: JsonOption = False,
) -> None:
    """One rule in every version: law and article, facts, parameters with their sources."""
    from compliance.desk.telling import told_rule  # noqa: PLC0415
    from compliance.rules.registry import versions_of  # noqa: PLC0415

    try:
        versions = versions_of(rule_id)
    except LookupError:
        raise CommandFailed(ExitCode.DATA, f"no rule {rule_id}: `casework rules list` shows all") from None
    told = [told_rule(version, locale=locale) for version in versions]
    if as_json:
        print_json({"ruleId": rule_id, "versions": told})
        return
    for each in told:
        say(f"{each['ruleId']}  {each['title']}")
        say(f"  {each['citation']['law']}, {each['citation']['article']}  ({each['authority']})")
        say(
            f"  in force {_dates(each)}; {each['severity']}; {each['verified']}; "
            f"gates {', '.join(each['gates']) or '-'}"
        )
        for name, param in each["params"].items():
            say(f"  parameter {name} = {param['value']}  ({param['source']}, since {param['asOf']})")
        for name, fact in each["facts"].items():
            say(f"  fact {name} ({fact['kind']}): {fact['meaning']}")


@app.command("evaluate")
def evaluate(
    gate: Annotated[str, typer.Option("--gate", help="A gate, as `installments.signing` or `signing`.")],
    facts: Annotated[
        Path | None, typer.Option("--facts", help="JSON object of facts; `-`: standard input.", show_default=False)
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date of the legal fact, YYYY-MM-DD.")] = None,
    locale: LocaleOption = "en",
    *,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="JSON of a bank's policy to put over the rules.", show_default=False)
    ] = None,
    facts_needed: Annotated[
        bool, typer.Option("--facts-needed", help="Print a form to fill in, with kinds and rules, instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the rules of a gate about facts, offline.

    Amounts are whole minor units (fen), rates millionths a year, dates YYYY-MM-DD, instants with their offset.
    Exit code 0: nothing blocks; 1: something blocks; 2: the facts cannot be read, each with field, rules and fix.
    """
    from compliance.desk.evaluation import evaluated  # noqa: PLC0415
    from compliance.desk.fact_forms import facts_form  # noqa: PLC0415
    from compliance.desk.policy import AS_DELIVERED, read_policy  # noqa: PLC0415
    from compliance.desk.selection import gate_named  # noqa: PLC0415

    with refused():
        which = gate_named(gate)
    if facts_needed:
        print_json({"gate": which.value, "facts": facts_form(which)})
        return
    if facts is None or as_of is None:
        raise CommandFailed(ExitCode.COMMAND_LINE, "--facts and --as-of are needed; --facts-needed prints a form")
    on = date_of(as_of, "--as-of")
    with refused():
        wanted = read_policy(read_object(policy), version=policy.stem, since=on) if policy else AS_DELIVERED
        told = evaluated(which, read_object(facts), as_of=on, policy=wanted, locale=locale)
    if as_json:
        print_json(told)
    else:
        _say_verdicts(told)
    if told["blocks"]:
        against = ", ".join(each["ruleId"] for each in told["verdicts"] if each["blocks"])
        raise CommandFailed(ExitCode.FAILED, f"blocked by {against}")


@contextmanager
def refused() -> Iterator[None]:
    """Ends the command with every fault of a form: field, rule and fix."""
    try:
        yield
    except FormInvalid as invalid:
        raise CommandFailed(ExitCode.COMMAND_LINE, told_faults(invalid)) from None


def told_faults(invalid: FormInvalid) -> str:
    """Every fault on a line: field, rule and fix."""
    from models.texts.render import render  # noqa: PLC0415

    return "\n".join(
        f"{fault.pointer or '/'}: {render(f'field.{fault.code}', fault.params, 'en')}" for fault in invalid.faults
    )


def read_object(source: Path) -> dict[str, Any]:
    """A JSON object from a file, or from standard input (`-`).

    Raises:
        CommandFailed: exit code 2, it cannot be read, or is no object.
    """
    try:
        content = sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes()
        told = json.loads(content, object_pairs_hook=_once)
    except OSError as error:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{source} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{source}: no JSON, or a name that stands twice") from None
    if not isinstance(told, dict):
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{source}: a JSON object is expected, in braces")
    return told


def date_of(text: str, option: str) -> date:
    """A date from an option.

    Raises:
        CommandFailed: exit code 2, it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{option}: write YYYY-MM-DD, a day that exists") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("twice")
    return told


def _dates(told: dict[str, Any]) -> str:
    return f"{told['effectiveFrom']} to {told['effectiveTo']}" if told["effectiveTo"] else f"{told['effectiveFrom']} on"


def _say_verdicts(told: dict[str, Any]) -> None:
    for each in told["verdicts"]:
        mark = "blocks" if each["blocks"] else ""
        say(f"{each['ruleId']:16} {each['result']:14} {each['severity']:5} {mark:6} {each['reasonText']}")
        say(f"{'':16} {each['citation']['law']}, {each['citation']['article']}")
    policy = f", bank policy {told['policyVersion']}" if told["policyVersion"] else ""
    say(f"gate {told['gate']} as of {told['asOf']}; rule set {told['ruleSetVersion']}{policy}")
