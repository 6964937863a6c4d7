"""Requests in the shape that the OpenAPI document says is taken, with values from its borders and from beyond them.

What answers hold is remembered under the names of its members and used again, so that one route is asked for what
another has made. Same seed and same answers: same requests.
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final
from urllib.parse import quote

from api.paging import encode_cursor

Operation = tuple[str, str, Mapping[str, Any]]
"""Method, path, and what the document says of it."""

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_ID: Final = re.compile(r"\A([a-z]{3}_)[0-9a-z]{26}\Z")
_KEPT: Final = 12  # of a name: the newest
_CARELESS: Final = 0.4  # of requests hold values that do not fit
_DEPTH: Final = 4

_DATES: Final = ("2026-11-23", "2026-11-24", "2028-02-29", "0001-01-01", "9999-12-31", "2026-02-30", "x")
_INSTANTS: Final = (
    "2026-11-23T02:00:00Z",
    "2026-11-22T10:00:00+08:00",
    "2099-01-01T00:00:00Z",
    "2026-11-23T02:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "x",
)
_FITTING: Final = {"date": _DATES[:3], "date-time": _INSTANTS[:3]}
_ANY: Final = {"date": _DATES, "date-time": _INSTANTS}
_NUMBERS: Final = (0, 1, 2, 12, 36, 1_000, 3_000_000, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**30)
_TEXTS: Final = (
    "a", "main", "hq", "en", "zh-CN", "2026-01", "13812345678", "0.18", "12.5", "0", "generic-cny", "some-name",
    "张三", "a" * 64, "0" * 64, "a" * 300, "é\U0001f600", "%_'\"\\", " ", "\u202e", "{}", "-",
)  # fmt: skip
_QUERIES: Final = ("1", "500", "0", "-1", "9" * 30, "true", "x", "", "2026-11-23", "9999-12-31", "%00", "é", *_INSTANTS)
_FILES: Final = (b"\x89PNG\r\n\x1a\n" + bytes(90), b"", b"name,id\r\n\xd5\xc5,1\r\n", b"PK\x03\x04" + bytes(30))


class Shaper:
    """Makes requests, and learns from answers."""

    def __init__(
        self, document: Mapping[str, Any], seed: int, *, examples: Mapping[str, Any], known: Mapping[str, str]
    ) -> None:
        """Begin.

        Args:
            document: the OpenAPI document.
            seed: of the dice.
            examples: good bodies by operation id; every other request of it holds one, or one changed in one place.
            known: what is there from the beginning, by parameter of a path and by member of a body.
        """
        self._schemas = document["components"]["schemas"]
        self._dice = Random(seed)
        self._examples = examples
        self._lasting = known
        self._known: dict[str, list[str]] = defaultdict(list)
        self._careless = True
        self.operations: list[Operation] = [
            (method.upper(), path, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in _METHODS
        ]

    def learn(self, answer: object, headers: Mapping[str, str], *, but: Sequence[str] = ()) -> None:
        """Remember what an answer tells, but for these."""
        told = [*_members(answer), *([("etag", headers["etag"])] if "etag" in headers else [])]
        for name, text in told:
            if name == "path" and text.startswith("/v1/links/"):
                self._known["link"] = [*self._known["link"], text.split("/")[3]][-_KEPT:]
            if len(text) > 100 or text in but:
                continue
            found = _ID.match(text)
            for kind in (name, found[1] if found else name):
                if text not in self._known[kind]:
                    self._known[kind] = [*self._known[kind], text][-_KEPT:]

    def request(self, operation: Operation) -> dict[str, Any]:
        """Method, path, query, headers and body."""
        method, path, described = operation
        dice, headers, query = self._dice, [], []
        self._careless = dice.random() < _CARELESS
        for parameter in described.get("parameters", ()):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", self._segment(parameter))
            elif parameter["name"] == "Idempotency-Key":
                headers.append(("idempotency-key", f"k{dice.random()}"))
            elif parameter["name"] == "If-Match":
                headers.append(("if-match", dice.choice(['"v1"', '"v2"', *self._known["etag"]])))
            elif parameter["in"] == "query" and (parameter.get("required") or dice.random() < _CARELESS):
                query.append(f"{parameter['name']}={quote(self._query(parameter))}")
        body = b""
        content = described.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            body = json.dumps(self._body(described, content["application/json"]["schema"])).encode()
            headers.append(("content-type", "application/json"))
        elif content:
            body = self._file()
            headers.append(("content-type", "multipart/form-data; boundary=b"))
        headers.append(("content-length", str(len(body))))
        return {"method": method, "path": path, "query": "&".join(query).encode(), "headers": headers, "body": body}

    def _body(self, described: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
        example = self._examples.get(described.get("operationId", ""))
        if example is None or self._dice.random() < 0.5:
            return self._value(schema, "", 0)
        made = json.loads(json.dumps(example))
        if self._careless:
            place, name = self._dice.choice(list(_places(made)))
            place[name] = self._dice.choice((None, True, -1, 0, 10**30, "", "x", [], {}, *_DATES, *_INSTANTS, *_TEXTS))
        return made

    def _value(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        """A value of a schema, or nearly."""
        dice = self._dice
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if "const" in schema or "enum" in schema:
            return dice.choice(schema.get("enum") or [schema["const"]])
        if "oneOf" in schema or "anyOf" in schema:
            return self._value(dice.choice(schema.get("oneOf") or schema["anyOf"]), name, depth)
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                length = dice.choice((schema.get("minItems", 0), 1, 2))
                return [self._value(schema.get("items", {}), name, depth + 1) for _ in range(length)]
            case "string":
                return self._string(schema, name)
            case "integer" | "number":
                low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
                fitting = [number for number in (*_NUMBERS, low, high) if low <= number <= high]
                return dice.choice(_NUMBERS if self._careless and dice.random() < 0.1 else fitting)
            case "boolean":
                return dice.random() < 0.5
            case "null":
                return None
        return dice.choice((None, True, 1, {}, [], self._string({}, name)))

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        dice, required = self._dice, set(schema.get("required", ()))
        made = {
            name: self._value(member, name, depth + 1)
            for name, member in schema.get("properties", {}).items()
            if name in required or dice.random() < (0.4 if depth < _DEPTH else 0.1)
        }
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and depth < _DEPTH:
            made |= {dice.choice(_TEXTS): self._value(more, "", depth + 1) for _ in range(dice.randrange(3))}
        if made and self._careless and dice.random() < 0.05:
            del made[dice.choice(list(made))]
        return made

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        dice, form = self._dice, schema.get("format", "")
        if form in _ANY:
            return dice.choice(_ANY[form] if self._careless else _FITTING[form])
        low, high, pattern = schema.get("minLength", 0), schema.get("maxLength", 10**6), schema.get("pattern", "")
        known = [text for text in (self._lasting.get(name), *self._known[name]) if text and low <= len(text) <= high]
        if known and dice.random() < 0.7:
            return dice.choice(known)
        fitting = [text for text in (*_TEXTS, *_DATES[:2]) if low <= len(text) <= high and re.search(pattern, text)]
        if self._careless and dice.random() < 0.1:
            return dice.choice(_TEXTS)
        return dice.choice(fitting) if fitting else "7" * low

    def _segment(self, parameter: Mapping[str, Any]) -> str:
        """A value for a parameter of a path: mostly one that names something."""
        dice, name = self._dice, parameter["name"]
        if parameter.get("schema", {}).get("type") == "integer":
            return str(dice.choice(_NUMBERS if self._careless else (1, 2)))
        if self._careless and dice.random() < 0.2:
            return dice.choice(("x", "1", "%", "é", "main." + "0" * 26))
        if name in self._lasting and dice.random() < 0.7:
            return self._lasting[name]
        if name == "token":
            return dice.choice(self._known["link"] or ["x"])
        short, camel = name.removesuffix("_id"), _camel(name)
        kinds = [kind for kind in self._known if kind.endswith("_") and kind[0] == short[0]]
        own = [text for kind in (camel, name, short, f"{short}Id") for text in self._known.get(kind, ())]
        ids = [text for kind in (*kinds, "id") for text in self._known.get(kind, ())]
        return dice.choice((own if dice.random() < 0.9 else ids) or ids or ["1"])

    def _query(self, parameter: Mapping[str, Any]) -> str:
        dice, name = self._dice, parameter["name"]
        if name == "after" and self._known["endCursor"]:
            return self._cursor(dice.choice(self._known["endCursor"]))
        if not self._careless or dice.random() < 0.5:
            made = self._value(parameter.get("schema", {}), name, 0)
            return made if isinstance(made, str) else json.dumps(made)
        return dice.choice(_QUERIES)

    def _cursor(self, cursor: str) -> str:
        """A cursor as it came, or one that begins somewhere else."""
        if not self._careless:
            return cursor
        try:
            kind, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except ValueError:
            return cursor
        values[self._dice.randrange(len(values))] = self._dice.choice((*_QUERIES, *_NUMBERS, None))
        return encode_cursor(kind, *values)

    def _file(self) -> bytes:
        part = b"--b\r\nContent-Disposition: form-data; name="
        named = part + b'"file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        return part + b'"kind"\r\n\r\nother\r\n' + named + self._dice.choice(_FILES) + b"\r\n--b--\r\n"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _members(answer: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an answer with the name of the member that it stands under."""
    match answer:
        case str():
            yield name, answer
        case dict():
            for key, member in answer.items():
                yield from _members(member, key)
        case list():
            for member in answer:
                yield from _members(member, name)


def _places(made: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value: what holds it, and its name or number there."""
    pairs = made.items() if isinstance(made, dict) else enumerate(made) if isinstance(made, list) else ()
    for name, member in list(pairs):
        yield made, name
        yield from _places(member)
