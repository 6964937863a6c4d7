"""What may leave the process in a log line or a span: named fields, each of a form that holds no personal data.

One allow-list for logs and traces. A field that is not on it is dropped; a value that has not its field's form, or in
which the scanner sees a number of a person, is replaced. Both are counted.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

Scalar = str | int | float | bool | None

REDACTED: Final = "[redacted]"
_MAX_FOREIGN: Final = 200
_MAX_WORDS: Final = 10

_RANDOM: Final = r"[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}"
_CASE: Final = r"[a-z][a-z0-9-]{1,15}\.[0-9a-hjkmnp-tv-z]{26}"
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX: Final = r"[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
# What we make ourselves out of random bits, or out of those and our own words.
_DAILY: Final = r"[a-z][a-z0-9-]{1,15}/[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ID: Final = re.compile(
    rf"\A(?:[a-z-]+/)?(?:{_RANDOM}|{_CASE}|{_UUID}|{_HEX}|{_DAILY})(?:/[a-z0-9.-]{{1,40}}){{0,3}}\Z"
)
_CODE: Final = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,79}\Z")
_ROUTE: Final = re.compile(r"\A/[A-Za-z0-9/{}:._-]{0,119}\Z")
_PLACE: Final = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.]{0,99}:[0-9]{1,6}\Z")
_VERSION: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}\Z")
_ADDRESS: Final = re.compile(r"\A(?:https?://)?[A-Za-z0-9.\[\]:-]{1,80}\Z")
_NUMBER: Final = re.compile(r"\A-?[0-9]{1,10}(?:\.[0-9]{1,9})?\Z")

# Numbers of persons, generously: 15 digits or more (identity and bank cards), cards of 16 to 19 digits with gaps,
# mobiles, permits and passports (a letter and 8 to 10 digits), and e-mail addresses.
PERSONAL: Final = re.compile(
    r"(?<![0-9])(?:"
    r"[0-9]{14,}[0-9Xx]|[0-9](?:[ -]?[0-9]){15,18}|(?:\+?86[ -]?|0)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
    r")(?![0-9])"
    r"|(?<![0-9A-Za-z])[A-Za-z][0-9]{8,10}(?![0-9A-Za-z])"
    r"|[^\s@<>\"']+@[^\s@<>\"']+"
)

_IDS: Final = (
    "case_token", "task_id", "decision_id", "staff_id", "subject_id", "document_id", "link_id", "consent_id",
    "case", "task", "decision", "staff", "subject", "document", "link", "verdict_id", "event_id", "outbox_id",
    "workflow_id", "run_id", "update_id", "request_id", "trace_id", "span_id",
)  # fmt: skip
_CODES: Final = (
    "action", "activity", "activity_type", "area", "channel", "code", "component", "currency", "database", "duty",
    "error", "error_causes", "error_code", "error_type", "fate", "gate", "kind", "locale", "method", "namespace",
    "outcome", "phase", "purpose", "queue", "queues", "reason", "refusal", "result", "role", "rule_id", "severity",
    "stage", "state", "step", "task_queue", "task_type", "tenant", "update", "workflow", "workflow_type",
)  # fmt: skip
_NUMBERS: Final = (
    "age_s", "attempt", "attempts", "bytes", "count", "dropped", "duration_ms", "epoch", "exit_code", "failed", "lag_s",
    "limit", "pending", "pid", "port", "recovered", "round", "rows", "sealed", "sent", "seq", "size", "slots", "status",
    "task_no", "total", "wait_s",
)  # fmt: skip

FORMS: Final[dict[str, re.Pattern[str]]] = {
    **dict.fromkeys(_IDS, _ID),
    **dict.fromkeys(_CODES, _CODE),
    **dict.fromkeys(_NUMBERS, _NUMBER),
    "route": _ROUTE,
    "error_at": _PLACE,
    "address": _ADDRESS,
    "version": _VERSION,
    "rule_set": _VERSION,
}


def clean(fields: Mapping[str, object]) -> tuple[dict[str, Scalar], int]:
    """The fields that may leave, and how many were dropped or replaced."""
    kept: dict[str, Scalar] = {}
    lost = 0
    for name, value in fields.items():
        form = FORMS.get(name)
        if form is None:
            lost += 1
            continue
        kept[name] = clean_value(form, value)
        lost += kept[name] == REDACTED
    return kept, lost


def clean_value(form: re.Pattern[str], value: object) -> Scalar:
    """The value if it has the form; otherwise `REDACTED`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and (isinstance(value, int) or math.isfinite(value)):
        number = value if isinstance(value, int) else round(value, 6)
        return number if _NUMBER.match(str(number)) and PERSONAL.search(str(number)) is None else REDACTED
    if isinstance(value, list | tuple):  # a few words of one kind
        words = [str(clean_value(form, each)) for each in value[:_MAX_WORDS]]
        return REDACTED if REDACTED in words else ",".join(words)
    text = str(value) if isinstance(value, str) else ""
    if form.match(text) is None:
        return REDACTED
    # Random ids are not scanned: eleven digits in a row happen in them.
    return text if form is _ID or PERSONAL.search(text) is None else REDACTED


def is_code(text: object) -> bool:
    """Whether a text could be the constant name of an event or a span: nobody's number, name or sentence."""
    return isinstance(text, str) and _CODE.match(text) is not None and PERSONAL.search(text) is None


_PAYLOAD: Final = re.compile(
    # Whatever is quoted or bracketed, also if the end is cut off; and what is not plain English text.
    r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)|\{.*\}|\{.*|<[^<>]*(?:>|\Z)|\[[^\[\]]*(?:\]|\Z)"
    r"|[^\x20-\x7e]+",
    re.DOTALL,
)
_APOSTROPHE: Final = re.compile(r"(?<=[A-Za-z])'(?=(?:t|s|re|ll|ve|d)\b)")


def redact_foreign(message: str) -> str:
    """A foreign message without its payload: quoted parts, brackets, numbers of persons, other scripts."""
    text = _APOSTROPHE.sub("", message[: 4 * _MAX_FOREIGN])
    text = _PAYLOAD.sub(REDACTED, text)
    return PERSONAL.sub(REDACTED, text)[:_MAX_FOREIGN]
