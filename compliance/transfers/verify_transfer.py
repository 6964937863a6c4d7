"""Checks the audit report of a customer transfer without its product: standard library and `cryptography` only.

    python verify_transfer.py [BUNDLE] [--key KEY] [--json]      a folder or a .zip; default: where this file lies

It checks the signature over the bundle and every file in it; the audit log's leaves, roots and signed checkpoints; that
the report is the one whose hash stands in the log; that its seed was recorded before it and that the sample is the one
which that seed draws; conservation, costs, findings and verdict; and the backups' manifests. Everything that does not
hold is named. Exit code 0: all of it holds; 1: something does not; 2: nothing could be checked.

This file imports nothing of Casework and shares no code with it: it is a second implementation of the same formats.
"""

# ruff: noqa: PLR2004 - the numbers are those of the formats

import argparse
import base64
import binascii
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT: Final = "casework-transfer-bundle/1"
REPORT: Final = "casework-transfer-report/1"
SIGNED: Final = b"casework-transfer-bundle/1\n"
BACKUP_SIGNED: Final = b"casework-transfer-backup/1\n"
UNSIGNED: Final = {"bundle.json", "bundle.sig", "key.txt", "verify_transfer.py"}
STRATA: Final = ("accepted", "held", "merged", "rejected")


class Unreadable(Exception):
    """There is nothing here that could be checked."""


class Fault(NamedTuple):
    """What does not hold: which check, where, and what showed it."""

    check: str
    where: str
    detail: str


class Key(NamedTuple):
    """The installation's public key under its name."""

    name: str
    id: bytes
    public: Ed25519PublicKey


class Bundle:
    """The files of a bundle, read whole."""

    def __init__(self, path: Path) -> None:
        """Read them.

        Raises:
            Unreadable: this is no bundle.
        """
        if path.is_dir():
            self.files = {
                each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
            }
        else:
            with zipfile.ZipFile(path) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist()}
        if "bundle.json" not in self.files:
            raise Unreadable("there is no bundle.json here")

    def text(self, name: str) -> str:
        """One file.

        Raises:
            Unreadable: it is missing.
        """
        if name not in self.files:
            raise Unreadable(f"{name} is missing")
        return self.files[name].decode()

    def json(self, name: str) -> Any:
        """One file of JSON."""
        return json.loads(self.text(name))


def read_key(text: str) -> Key:
    """`<name>+<id>+<key>`, as signed-note spells a public key; name and id must belong to the key."""
    name, _, rest = text.strip().partition("+")
    try:
        raw = base64.b64decode(rest.partition("+")[2], validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 33 or raw[0] != 1:
        raise Unreadable("this is no key: <name>+<id>+<key>")
    own_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if name != "casework/" + hashlib.sha256(raw[1:]).hexdigest()[:16] or rest.partition("+")[0] != own_id.hex():
        raise Unreadable("the name or id of the key does not belong to it")
    return Key(name, own_id, Ed25519PublicKey.from_public_bytes(raw[1:]))


def canonical(value: Any) -> bytes:
    """JSON with one spelling."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


# The bundle itself ------------------------------------------------------------------------------------------------


def check_files(bundle: Bundle, key: Key) -> Iterator[Fault]:
    """The signature over the list of files, and every file against the list."""
    try:
        key.public.verify(base64.b64decode(bundle.text("bundle.sig")), SIGNED + bundle.files["bundle.json"])
    except (InvalidSignature, binascii.Error):
        yield Fault("signature", "bundle.json", "the list of files is not signed by this key")
    listed = bundle.json("bundle.json")["files"]
    for name, digest in sorted(listed.items()):
        if name not in bundle.files:
            yield Fault("file", name, "is missing")
        elif sha(bundle.files[name]) != digest:
            yield Fault("file", name, "was altered")
    for name in sorted(bundle.files.keys() - listed.keys() - UNSIGNED):
        yield Fault("file", name, "was added")


# The audit log ----------------------------------------------------------------------------------------------------


class Log(NamedTuple):
    """What the log says: event id → (place, leaf), and the job's events by id."""

    places: dict[str, tuple[int, str]]
    events: dict[str, dict[str, Any]]


def read_log(bundle: Bundle) -> Log:
    """The leaves and the exported events, unchecked."""
    places = {}
    for line in bundle.text("audit/leaves.txt").splitlines():
        index, event, leaf = line.split(" ")
        places[event] = (int(index), leaf)
    events = {}
    for line in bundle.text("audit/events.jsonl").splitlines():
        entry = json.loads(line)
        events[entry["id"]] = {**json.loads(entry["body"]), "body": entry["body"], "index": entry["index"]}
    return Log(places, events)


def check_log(bundle: Bundle, log: Log, key: Key) -> Iterator[Fault]:
    """Every event hashes to its leaf, and the leaves lead to every signed root."""
    for event, told in log.events.items():
        index, leaf = log.places.get(event, (-1, ""))
        own = hashlib.sha256(b"\x00" + told["body"].encode()).hexdigest()
        if own != leaf or index != told["index"]:
            yield Fault("event", event, "does not hash to its leaf")
    notes = list(_notes(bundle, key))
    if not notes:
        yield Fault("checkpoint", "audit/checkpoints.jsonl", "no checkpoint is signed by this key")
    wanted = {size: root for size, root in notes if size >= 0}
    leaves = [leaf for _, leaf in sorted(log.places.values())]
    if sorted(index for index, _ in log.places.values()) != list(range(len(leaves))):
        yield Fault("leaves", "audit/leaves.txt", "places are missing or stand twice")
        return
    edge: list[tuple[int, bytes]] = []
    for size, leaf in enumerate(leaves, 1):
        _append(edge, bytes.fromhex(leaf))
        if size in wanted and _root(edge) != wanted[size]:
            yield Fault("root", f"size {size}", "the leaves do not lead to the signed root")
            return
    if wanted and max(wanted) != len(leaves):
        yield Fault("root", f"size {len(leaves)}", f"the newest signed root is of {max(wanted)} events")


def _notes(bundle: Bundle, key: Key) -> Iterator[tuple[int, bytes]]:
    for line in bundle.text("audit/checkpoints.jsonl").splitlines():
        body, _, signatures = json.loads(line).partition("\n\n")
        lines = body.split("\n")
        for signature in signatures.splitlines():
            try:
                raw = base64.b64decode(signature.split(" ")[2])
                if lines[0] != key.name or raw[:4] != key.id:
                    continue
                key.public.verify(raw[4:], (body + "\n").encode())
            except (InvalidSignature, IndexError, binascii.Error):
                continue
            yield int(lines[1]), base64.b64decode(lines[2])


def _append(edge: list[tuple[int, bytes]], leaf: bytes) -> None:
    width = 1
    while edge and edge[-1][0] == width:
        leaf = hashlib.sha256(b"\x01" + edge.pop()[1] + leaf).digest()
        width *= 2
    edge.append((width, leaf))


def _root(edge: Sequence[tuple[int, bytes]]) -> bytes:
    root = edge[-1][1]
    for _, left in reversed(edge[:-1]):
        root = hashlib.sha256(b"\x01" + left + root).digest()
    return root


# The report -------------------------------------------------------------------------------------------------------


def check_report(bundle: Bundle, report: dict[str, Any], log: Log) -> Iterator[Fault]:
    """The report is spelled canonically, and is the one whose hash, seed and papers stand in the log."""
    content = bundle.files["report.json"]
    if report.get("format") != REPORT:
        yield Fault("report", "format", f"is not {REPORT}")
    if canonical(report) != content:
        yield Fault("report", "report.json", "is not spelled canonically")
    written = _deed(log, "transfer.report-written", report)
    if written is None:
        yield Fault("report", "report-written", "the log has no event of this report")
        return
    if written["facts"]["digest"] != sha(content):
        yield Fault("report", "report.json", "is not the report whose hash stands in the log")
    for name, digest in sorted(written["facts"]["papers"].items()):
        path = f"papers/{name.replace('/', '.', 1).replace('/', '.')}"
        if path not in bundle.files or sha(bundle.files[path]) != digest:
            yield Fault("paper", path, "is not the paper whose hash stands in the log")
    seeded = _deed(log, "transfer.report-seeded", report)
    if seeded is None or seeded["facts"]["seed"] != report["sample"]["seed"]:
        yield Fault("seed", "sample.seed", "is not the seed that was recorded for this report")
    elif seeded["index"] >= written["index"]:
        yield Fault("seed", "sample.seed", "was not recorded before the report")
    for each in report["evidence"]:
        if each["index"] is not None and log.places.get(each["event"]) != (each["index"], each["leaf"]):
            yield Fault("evidence", each["event"], "does not stand in the log as the report says")


def _deed(log: Log, action: str, report: dict[str, Any]) -> dict[str, Any] | None:
    found = [
        each
        for each in log.events.values()
        if each["action"] == action and each["target"] == report["job"] and each["facts"]["report"] == report["number"]
    ]
    return found[0] if len(found) == 1 else None


def check_conservation(_bundle: Bundle, report: dict[str, Any], _log: Log) -> Iterator[Fault]:
    """What goes into a hop comes out of it; hops, sources and strata say the same."""
    parts = {hop["name"]: dict(hop["parts"]) for hop in report["hops"]}
    for hop in report["hops"]:
        whole = sum(count for _, count in hop["parts"])
        if (hop["taken"] == whole) is not hop["holds"]:
            yield Fault("conservation", hop["name"], f"{hop['taken']} in, {whole} out, and it says otherwise")
        if hop["taken"] != whole and not _found(report, "not-conserved"):
            yield Fault("conservation", hop["name"], f"{hop['taken']} in, {whole} out")
    if sum(each["read"] for each in report["sources"]) != sum(hop["taken"] for hop in report["hops"][:1]):
        yield Fault("conservation", "sources", "do not add up to what was read")
    for end in ("accepted", "rejected", "merged", "held", "undecided"):
        if sum(each[end] for each in report["sources"]) != parts["read"][end]:
            yield Fault("conservation", f"sources.{end}", "do not add up to the hop")
    for stratum in report["sample"]["strata"]:
        if stratum["population"] != parts["read"][stratum["name"]]:
            yield Fault("conservation", f"stratum {stratum['name']}", "has not as many rows as ended so")


def check_sample(bundle: Bundle, report: dict[str, Any], _log: Log) -> Iterator[Fault]:
    """The sample is the one that the seed draws, and as large as the rule says."""
    sample = report["sample"]
    populations = dict(_populations(bundle.text("population.txt")))
    if [each["name"] for each in sample["strata"]] != list(STRATA):
        yield Fault("sample", "strata", "are not those of the rule")
    for stratum in sample["strata"]:
        name, rows = stratum["name"], populations.get(stratum["name"], [])
        if len(rows) != stratum["population"]:
            yield Fault("sample", name, f"population.txt has {len(rows)} rows, the report {stratum['population']}")
        size = sample_size(stratum["population"], sample["tolerablePerMille"], sample["riskPerMille"])
        if stratum["size"] != size:
            yield Fault("sample", name, f"has {stratum['size']} rows, the rule wants {size}")
        keyed = sorted((draw_key(sample["seed"], report["job"], name, row), row) for row in rows)
        drawn = sorted(row for _, row in keyed[:size])
        looked = [item["row"] for item in sample["items"] if item["stratum"] == name]
        if looked != drawn:
            wrong = sorted(set(looked) ^ set(drawn))[:5]
            yield Fault("sample", name, f"is not what the seed draws; rows {', '.join(map(str, wrong))}")
    for item in sample["items"]:
        results = {each["result"] for each in item["checks"]}
        worst = next((each for each in ("fail", "unknown") if each in results), "pass")
        if item["result"] != worst:
            yield Fault("sample", f"row {item['row']}", f"says {item['result']}, its checks say {worst}")


def draw_key(seed: str, job: str, stratum: str, row: int) -> bytes:
    """A row's place in the draw."""
    return hashlib.sha256(f"casework.transfer-sample/1\n{seed}\n{job}\n{stratum}\n{row}".encode()).digest()


def sample_size(population: int, tolerable: int, risk: int) -> int:
    """The smallest sample that misses the tolerable share of faults with no more than the risk."""
    wrong = -(-population * tolerable // 1000)
    missed = whole = 1
    for size in range(1, population - wrong + 1):
        missed *= population - wrong - size + 1
        whole *= population - size + 1
        if missed * 1000 <= whole * risk:
            return size
    return population - wrong + 1 if population else 0


def _populations(text: str) -> Iterator[tuple[str, list[int]]]:
    for line in text.splitlines():
        name, *ranges = line.split(" ")
        rows: list[int] = []
        for each in ranges:
            first, _, last = each.partition("-")
            rows += range(int(first), int(last or first) + 1)
        yield name, rows


def check_verdict(_bundle: Bundle, report: dict[str, Any], _log: Log) -> Iterator[Fault]:
    """The verdict follows from the findings, and what the facts show is among them."""
    weights = {each["severity"] for each in report["findings"]}
    rule = "failed" if "critical" in weights else "reserved" if "major" in weights else "passed"
    if report["verdict"] != rule:
        yield Fault("verdict", report["verdict"], f"the findings make it {rule}")
    told = {"delivered", "fallback-delivered", "public-notice", "objection", "exempt"}
    items = report["sample"]["items"]
    stops = [e for e in report["gates"] if e["severity"] == "BLOCK" and e["result"] in ("FAIL", "UNKNOWN")]
    untold = sum(count for state, count in report["notices"]["states"] if state not in told)
    undone = [e for e in report["waves"] if e["state"] == "undone" and e["rootUndone"] != e["rootBefore"]]
    for code, count in (
        ("gate-stops", len(stops)),
        ("not-conserved", sum(not hop["holds"] for hop in report["hops"])),
        ("customer-untold", untold + report["notices"]["withoutNotice"]),
        ("moved-without-consent", report["notices"]["movedWithoutConsent"]),
        ("root-differs", len(undone)),
        ("sample-failed", sum(item["result"] == "fail" for item in items)),
        ("sample-unproven", sum(item["result"] == "unknown" for item in items)),
        ("conflicts-open", report["conflictsOpen"]),
        ("rows-held", report["held"]),
        ("pairs-open", report["matching"]["review"]),
        ("follow-ups-open", sum(each["open"] for each in report["followUps"])),
    ):
        if count != _found(report, code):
            yield Fault("finding", code, f"the facts show {count}, the report says {_found(report, code)}")


def _found(report: dict[str, Any], code: str) -> int:
    return sum(each["count"] for each in report["findings"] if each["code"] == code)


def check_costs(_bundle: Bundle, report: dict[str, Any], _log: Log) -> Iterator[Fault]:
    """Every line of the working, both sums, what is saved, and the return."""
    costs = report["costs"]
    for side in ("byHand", "actual"):
        for line in costs[side]:
            amount = half_up(line["quantity"] * line["unitMinor"], line["per"])
            if line["amountMinor"] != amount:
                yield Fault("costs", f"{side}.{line['code']}", f"is {amount}, the report says {line['amountMinor']}")
        if sum(line["amountMinor"] for line in costs[side]) != costs[f"{side}Minor"]:
            yield Fault("costs", side, "does not add up")
    saved = costs["byHandMinor"] - costs["actualMinor"]
    rate = half_up(saved * 10_000, costs["actualMinor"]) if costs["actualMinor"] > 0 else None
    if (costs["benefitMinor"], costs["roiBp"]) != (saved, rate):
        yield Fault("costs", "roi", f"is {saved} and {rate}")


def half_up(value: int, by: int) -> int:
    """Division rounded half away from zero."""
    return (-1 if value < 0 else 1) * ((2 * abs(value) + by) // (2 * by))


def check_backups(bundle: Bundle, report: dict[str, Any], key: Key) -> Iterator[Fault]:
    """Each backup's manifest is the one that the report names."""
    for each in report["backups"]:
        if each["manifestHash"] is None:
            continue
        name = f"backups/{each['side']}-{each['number']}.json"
        if name not in bundle.files:
            yield Fault("backup", name, "is missing")
            continue
        kept = bundle.json(name)
        if kept["manifestHash"] != each["manifestHash"] or kept["root"] != each["root"]:
            yield Fault("backup", name, "is not the manifest of the report")
        yield from _manifest(kept, name, key)


def _manifest(kept: dict[str, Any], name: str, key: Key) -> Iterator[Fault]:
    """The manifest has the hash that it is named by, and this installation signed it."""
    document = kept["manifest"]
    spelled = canonical(document["manifest"])
    if sha(spelled) != kept["manifestHash"]:
        yield Fault("backup", name, "the manifest does not have the hash it is named by")
    try:
        key.public.verify(base64.b64decode(document["signature"]), BACKUP_SIGNED + spelled)
    except (InvalidSignature, binascii.Error):
        yield Fault("backup", name, "the manifest is not signed by this key")


CHECKS: Final[tuple[Callable[[Bundle, dict[str, Any], Log], Iterator[Fault]], ...]] = (
    check_report,
    check_conservation,
    check_sample,
    check_verdict,
    check_costs,
)


def verify(bundle: Bundle, key: Key) -> list[Fault]:
    """Everything that does not hold."""
    faults = list(check_files(bundle, key))
    log, report = read_log(bundle), bundle.json("report.json")
    faults += check_log(bundle, log, key)
    checks = [*(partial(check, bundle, report, log) for check in CHECKS), partial(check_backups, bundle, report, key)]
    for check in checks:
        try:
            faults += check()
        except (KeyError, TypeError, ValueError, IndexError) as error:
            faults.append(Fault(check.func.__name__, "report.json", f"cannot be read: {type(error).__name__} {error}"))
    return faults


def main(arguments: Sequence[str]) -> int:
    """Check what the command line names, and say so."""
    parser = argparse.ArgumentParser(description="Check the audit report of a customer transfer.")
    parser.add_argument("path", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the public key you trust, or a file with it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        bundle = Bundle(chosen.path)
        given = Path(chosen.key).read_text() if chosen.key and Path(chosen.key).is_file() else chosen.key
        key = read_key(given or bundle.text("key.txt"))
        faults = verify(bundle, key)
    except (Unreadable, OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"nothing was checked: {error}\n")
        return 2
    if chosen.json:
        sys.stdout.write(json.dumps({"ok": not faults, "faults": [each._asdict() for each in faults]}) + "\n")
        return 1 if faults else 0
    if given is None:
        sys.stdout.write(f"the key came with the bundle; compare it: {key.name}+{key.id.hex()}\n")
    for fault in faults:
        sys.stdout.write(f"DOES NOT HOLD: {fault.check}: {fault.where}: {fault.detail}\n")
    if not faults:
        report = bundle.json("report.json")
        sys.stdout.write(f"the report of {report['job']} holds; verdict {report['verdict']}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
