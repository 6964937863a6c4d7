"""S5 and the hand corpus of S2: what may not come in as a body, each with its exact answer."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import post, put
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body as BodyMarker
from litestar.params import JSONBody
from pydantic import Field

from api.bodies import Answer, Body
from api.body_gate import MAX_DEPTH, MAX_JSON_BYTES, check_json
from models.errors import BadRequest
from tests.support.api import Office, RawAnswer, open_office, raw_request
from tests.support.clock import FakeClock
from tests.support.databases import SqliteFiles, create_data_schema, create_keys_schema
from tests.support.vaults import throw_away_vault


class TransferBody(Body):
    """Shaped like a body of money."""

    name: Annotated[str, Field(pattern=r"\A[A-Za-z ]{1,20}\Z")]
    amount_minor: Annotated[int, Field(ge=1, le=1_000_000)]
    urgent: bool = False
    tags: Annotated[tuple[str, ...], Field(max_length=3)] = ()


class TransferAnswer(Answer):
    amount_minor: int


@post("/v1/transfers-of-the-test", opt={"public": True}, sync_to_thread=False)
def transfers(data: JSONBody[TransferBody]) -> TransferAnswer:
    return TransferAnswer(amount_minor=data.amount_minor)


@put("/v1/files-of-the-test", opt={"public": True, "multipart": True})
async def files(
    data: Annotated[dict[str, UploadFile], BodyMarker(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, int]:
    return {"size": len(await data["file"].read())}


@pytest.fixture(scope="module")
def bank(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all bodies: none of them leaves anything behind."""
    folder, clock = tmp_path_factory.mktemp("bodies"), FakeClock()
    with (
        sqlite_files.fresh(create_data_schema, into=folder) as data,
        sqlite_files.fresh(create_keys_schema, into=folder) as keys,
    ):
        yield open_office(data, throw_away_vault(keys, clock), clock, folder, more_routes=[transfers, files])


async def send(
    office: Office,
    body: bytes,
    *,
    kind: str | None = "application/json",
    more: tuple[tuple[str, str], ...] = (),
    length: str | None = None,
) -> RawAnswer:
    headers = [("host", "casework.test"), ("content-length", length or str(len(body)))]
    headers += [("content-type", kind)] if kind is not None else []
    return await raw_request(office.app, "POST", "/v1/transfers-of-the-test", headers=[*headers, *more], body=body)


GOOD = b'{"name":"abc","amountMinor":7}'


def with_amount(text: str) -> bytes:
    return f'{{"name":"abc","amountMinor":{text}}}'.encode()


CORPUS: list[tuple[str, bytes, dict[str, Any], int, str]] = [
    ("extra field", b'{"name":"abc","amountMinor":7,"approved":true}', {}, 422, "form-invalid"),
    ("bool as int", with_amount("true"), {}, 422, "form-invalid"),
    ("int as bool", b'{"name":"abc","amountMinor":7,"urgent":1}', {}, 422, "form-invalid"),
    ("1.0", with_amount("1.0"), {}, 422, "form-invalid"),
    ("1e3", with_amount("1e3"), {}, 422, "form-invalid"),
    ("text as int", with_amount('"7"'), {}, 422, "form-invalid"),
    ("negative", with_amount("-1"), {}, 422, "form-invalid"),
    ("zero", with_amount("0"), {}, 422, "form-invalid"),
    ("minus zero", with_amount("-0"), {}, 422, "form-invalid"),
    ("over the limit", with_amount("1000001"), {}, 422, "form-invalid"),
    ("2**63", with_amount(str(2**63)), {}, 422, "form-invalid"),
    ("1e999", with_amount("1e999"), {}, 400, "bad-request"),
    ("5,000 digits", with_amount("9" * 5000), {}, 400, "bad-request"),
    ("null", with_amount("null"), {}, 422, "form-invalid"),
    ("number as text", b'{"name":5,"amountMinor":7}', {}, 422, "form-invalid"),
    ("trailing newline in a pattern", b'{"name":"abc\\n","amountMinor":7}', {}, 422, "form-invalid"),
    ("snake case", b'{"name":"abc","amount_minor":7}', {}, 422, "form-invalid"),
    ("too many items", b'{"name":"abc","amountMinor":7,"tags":["a","b","c","d"]}', {}, 422, "form-invalid"),
    ("array", b"[]", {}, 422, "form-invalid"),
    ("null body", b"null", {}, 422, "form-invalid"),
    ("no body", b"", {}, 422, "form-invalid"),
    ("empty object", b"{}", {}, 422, "form-invalid"),
    ("duplicate key", b'{"name":"abc","amountMinor":7,"amountMinor":999}', {}, 400, "bad-request"),
    ("duplicate key by escape", b'{"name":"abc","amountMinor":7,"amount\\u004dinor":999}', {}, 400, "bad-request"),
    ("duplicate key inside", b'{"name":"abc","amountMinor":7,"tags":[{"a":1,"a":2}]}', {}, 400, "bad-request"),
    ("byte order mark", b"\xef\xbb\xbf" + GOOD, {}, 400, "bad-request"),
    ("UTF-16", GOOD.decode().encode("utf-16"), {}, 400, "bad-request"),
    ("UTF-32", GOOD.decode().encode("utf-32"), {}, 400, "bad-request"),
    ("invalid UTF-8", b'{"name":"\xff","amountMinor":7}', {}, 400, "bad-request"),
    ("overlong UTF-8", b'{"name":"\xc0\xaf","amountMinor":7}', {}, 400, "bad-request"),
    ("encoded surrogate", b'{"name":"\xed\xa0\x80","amountMinor":7}', {}, 400, "bad-request"),
    ("escaped surrogate", b'{"name":"\\ud800","amountMinor":7}', {}, 400, "bad-request"),
    ("NUL", b'{"name":"a\x00b","amountMinor":7}', {}, 400, "bad-request"),
    ("escaped NUL", b'{"name":"a\\u0000b","amountMinor":7}', {}, 400, "bad-request"),
    ("escaped NUL in a name", b'{"name":"abc","amountMinor":7,"a\\u0000":1}', {}, 400, "bad-request"),
    ("trailing garbage", GOOD + b"x", {}, 400, "bad-request"),
    ("two values", GOOD + GOOD, {}, 400, "bad-request"),
    ("trailing comma", b'{"name":"abc","amountMinor":7,}', {}, 400, "bad-request"),
    ("comment", b'{"name":"abc",/**/"amountMinor":7}', {}, 400, "bad-request"),
    ("single quotes", b"{'name':'abc'}", {}, 400, "bad-request"),
    ("NaN", with_amount("NaN"), {}, 400, "bad-request"),
    ("Infinity", with_amount("-Infinity"), {}, 400, "bad-request"),
    ("leading zero", with_amount("07"), {}, 400, "bad-request"),
    ("plus", with_amount("+7"), {}, 400, "bad-request"),
    ("hex", with_amount("0x7"), {}, 400, "bad-request"),
    ("33 levels", b"[" * 33 + b"]" * 33, {}, 400, "bad-request"),
    ("20,000 levels", b"[" * 20_000 + b"]" * 20_000, {}, 400, "bad-request"),
    ("20,000 levels left open", b'{"a":' * 10_000, {}, 400, "bad-request"),
    ("64 KiB and one", b" " * (MAX_JSON_BYTES + 1), {}, 413, "body-too-large"),
    ("12 MB", b"x" * 12_000_000, {}, 413, "body-too-large"),
    ("a length that lies low", b" " * (MAX_JSON_BYTES + 1), {"length": "10"}, 413, "body-too-large"),
    ("a length that lies high", GOOD, {"length": "9" * 30}, 413, "body-too-large"),
    ("a negative length", GOOD, {"length": "-1"}, 400, "bad-request"),
    ("a length in words", GOOD, {"length": "ten"}, 400, "bad-request"),
    ("two lengths", GOOD, {"more": (("content-length", "3"),)}, 400, "bad-request"),
    ("two types", GOOD, {"more": (("content-type", "text/plain"),)}, 400, "bad-request"),
    ("text/plain", GOOD, {"kind": "text/plain"}, 415, "media-type-unsupported"),
    ("a form", b"name=abc", {"kind": "application/x-www-form-urlencoded"}, 415, "media-type-unsupported"),
    ("multipart", GOOD, {"kind": "multipart/form-data; boundary=x"}, 415, "media-type-unsupported"),
    ("msgpack", b"\x80", {"kind": "application/msgpack"}, 415, "media-type-unsupported"),
    ("no type", GOOD, {"kind": None}, 415, "media-type-unsupported"),
    ("another charset", GOOD, {"kind": "application/json; charset=utf-7"}, 415, "media-type-unsupported"),
    ("zipped", GOOD, {"more": (("content-encoding", "gzip"),)}, 415, "media-type-unsupported"),
    ("look-alike type", GOOD, {"kind": "application/jsonp"}, 415, "media-type-unsupported"),
]


@pytest.mark.parametrize(
    ("body", "options", "status", "code"), [case[1:] for case in CORPUS], ids=[case[0] for case in CORPUS]
)
async def test_a_body_that_could_mislead_is_refused(
    bank: Office, body: bytes, options: dict[str, Any], status: int, code: str
) -> None:
    answer = await send(bank, body, **options)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GOOD, "application/json"),
        (GOOD, "application/json; charset=UTF-8"),
        (GOOD, "APPLICATION/JSON"),
        (GOOD, "application/merge-patch+json"),
        (b"\n " + GOOD + b"\r\n\t ", "application/json"),
        (b'{"name":"\\u0061bc","amountMinor":7}', "application/json"),
        (GOOD + b" " * (MAX_JSON_BYTES - len(GOOD)), "application/json"),
    ],
)
async def test_a_plain_body_comes_through(bank: Office, body: bytes, kind: str) -> None:
    answer = await send(bank, body, kind=kind)
    assert (answer.status, answer.json()) == (201, {"amountMinor": 7})


async def test_a_get_takes_no_body_and_a_stranger_none_at_all(bank: Office) -> None:
    officer = bank.staff("officer")
    headers = [("host", "casework.test"), ("content-length", "2"), ("content-type", "application/json")]
    mine = [*headers, ("authorization", f"Bearer {bank.token(officer)}")]
    assert (await raw_request(bank.app, "GET", "/v1/me", headers=mine, body=b"{}")).status == 400
    broken = [("host", "casework.test"), ("content-length", "1"), ("content-type", "application/json")]
    assert (await raw_request(bank.app, "PUT", "/v1/me/password", headers=broken, body=b"{")).status == 401


async def test_a_file_comes_as_multipart_only_and_within_its_own_limit(bank: Office) -> None:
    async with bank.client() as client:
        small = await client.put("/v1/files-of-the-test", files={"file": ("a.pdf", b"x" * 300_000, "application/pdf")})
        large = await client.put(
            "/v1/files-of-the-test", files={"file": ("a.pdf", b"x" * 10_500_000, "application/pdf")}
        )
        plain = await client.put("/v1/files-of-the-test", json={"file": "x"})
    assert (small.status_code, small.json()) == (200, {"size": 300_000})
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")
    assert (plain.status_code, plain.json()["code"]) == (415, "media-type-unsupported")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_JSON, st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_gate_refuses_nothing_that_is_plain(value: Any, ascii_only: bool) -> None:
    check_json(json.dumps(value, ensure_ascii=ascii_only).encode())


@given(st.integers(1, 60))
def test_the_gate_counts_levels_outside_of_text(depth: int) -> None:
    body = b"[" * (depth - 1) + b'["[[[[{{{{\\"[[["]' + b"]" * (depth - 1)
    if depth <= MAX_DEPTH:
        check_json(body)
    else:
        with pytest.raises(BadRequest):
            check_json(body)
