"""Access tokens that must be refused. Each has all it can have for free: a known `kid`, the right `typ`, good times."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from api.identity.issuer import AUDIENCE, ISSUER

NONES: Final[tuple[Any, ...]] = (
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    " none",
    "none ",
    None,
    [],
    ["none"],
    {},
    0,
    False,
    "null",
    "HS256\x00",
)
MISSING: Final = object()
DEEP: Final = "[" * 100_000 + "]" * 100_000


def b64(raw: bytes | str) -> str:
    return base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


@dataclass(frozen=True)
class Forge:
    """Makes tokens with the issuer's own key, or with none."""

    key: ec.EllipticCurvePrivateKey
    kid: str
    subject: str
    now: datetime

    def header(self, **changes: Any) -> dict[str, Any]:
        return _changed({"alg": "ES256", "typ": "at+jwt", "kid": self.kid}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        at = int(self.now.timestamp())
        plain = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": self.subject,
            "jti": "ses_" + "0" * 26 + "." + "1" * 26,
            "iat": at,
            "nbf": at,
            "exp": at + 600,
            "auth_time": at,
        }
        return _changed(plain, changes)

    def es256(self, header: str, payload: str, *, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        signed = f"{header}.{payload}"
        r, s = decode_dss_signature((key or self.key).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    def signed(self, header: Any = None, claims: Any = None) -> str:
        """A token with a right signature over whatever is in it."""
        return self.es256(b64(_json(header or self.header())), b64(_json(self.claims() if claims is None else claims)))

    def hs256(self, secret: bytes, **header: Any) -> str:
        signed = f"{b64(_json(self.header(**({'alg': 'HS256'} | header))))}.{b64(_json(self.claims()))}"
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _changed(plain: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (plain | changes).items() if value is not MISSING}


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def forged(forge: Forge) -> Iterator[tuple[str, object]]:
    """Every attack by name. None of these tokens may open anything."""
    yield from _without_signature(forge)
    yield from _other_keys(forge)
    yield from _headers(forge)
    yield from _claims(forge)
    yield from _spellings(forge)
    yield from _shapes(forge)


def _without_signature(forge: Forge) -> Iterator[tuple[str, object]]:
    for alg in NONES:
        start = f"{b64(_json(forge.header(alg=alg)))}.{b64(_json(forge.claims()))}"
        yield f"alg {alg!r} without signature", f"{start}."
        yield f"alg {alg!r} with a right signature", forge.signed(forge.header(alg=alg))
    good = forge.signed()
    start, signature = good.rpartition(".")[::2]
    yield "no signature part", start
    yield "empty signature", f"{start}."
    yield "zero signature", f"{start}.{b64(bytes(64))}"
    yield "zero r", f"{start}.{b64(bytes(32) + base64.urlsafe_b64decode(signature + '==')[32:])}"
    yield "DER signature", f"{start}.{b64(forge.key.sign(start.encode(), ec.ECDSA(hashes.SHA256())))}"
    yield (
        "signature of another text",
        f"{start}.{forge.signed(claims=forge.claims(sub='stf_' + '1' * 26)).rpartition('.')[2]}",
    )


def _other_keys(forge: Forge) -> Iterator[tuple[str, object]]:
    # long because it is a list: one line or two for each attack
    public = forge.key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    secrets = {
        "PEM": pem,
        "PEM stripped": pem.strip(),
        "PEM body": b"".join(pem.splitlines()[1:-1]),
        "DER": der,
        "point": point,
        "compressed point": public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        ),
        "OpenSSH": ssh,
        "empty": b"",
        "one byte": b"\x00",
        "kid": forge.kid.encode(),
        "secret": b"secret",
        "PEM without dashes": pem.replace(b"-", b""),
        "JWK": _json({"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}).encode(),
    }
    for name, secret in secrets.items():
        yield f"HS256 with the public key as {name}", forge.hs256(secret)
        yield f"HMAC with the public key as {name}, called ES256", forge.hs256(secret, alg="ES256")
    for alg in (
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "es256",
        "ES256 ",
        "dir",
        "A128KW",
    ):
        yield f"a right signature called {alg}", forge.signed(forge.header(alg=alg))
    stranger = ec.generate_private_key(ec.SECP256R1())
    header, payload = b64(_json(forge.header())), b64(_json(forge.claims()))
    yield "a stranger's key under a known kid", forge.es256(header, payload, key=stranger)
    numbers = stranger.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
    for name, value in (
        ("jwk", jwk),
        ("jku", "https://evil.test/jwks"),
        ("x5u", "https://evil.test/x"),
        ("x5c", [b64(der)]),
    ):
        yield (
            f"a stranger's key in {name}",
            forge.es256(b64(_json(forge.header(**{name: value}))), payload, key=stranger),
        )
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    signed = f"{b64(_json(forge.header(alg='RS256')))}.{payload}"
    yield (
        "RS256 under the kid of an EC key",
        f"{signed}.{b64(weak.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}",
    )


def _headers(forge: Forge) -> Iterator[tuple[str, object]]:
    changes: dict[str, dict[str, Any]] = {
        "crit unknown": {"crit": ["exp"]},
        "crit empty": {"crit": []},
        "b64 false": {"b64": False, "crit": ["b64"]},
        "zip": {"zip": "DEF"},
        "cty": {"cty": "JWT"},
        "x5t": {"x5t": "a"},
        "extra member": {"foo": 1},
        "typ JWT": {"typ": "JWT"},
        "typ refresh": {"typ": "refresh+jwt"},
        "typ missing": {"typ": MISSING},
        "typ null": {"typ": None},
        "typ case": {"typ": "AT+JWT"},
        "typ long": {"typ": "application/at+jwt"},
        "typ list": {"typ": ["at+jwt"]},
        "kid missing": {"kid": MISSING},
        "kid unknown": {"kid": "other"},
        "kid null": {"kid": None},
        "kid number": {"kid": 1},
        "kid list": {"kid": [forge.kid]},
        "kid path": {"kid": "../../dev/null"},
        "kid injection": {"kid": "' OR 1=1 --"},
        "kid empty": {"kid": ""},
        "kid newline": {"kid": forge.kid + "\n"},
        "kid long": {"kid": "k" * 1000},
        "alg missing": {"alg": MISSING},
    }
    for name, value in changes.items():
        yield name, forge.signed(forge.header(**value))
    payload = b64(_json(forge.claims()))
    good = _json(forge.header())
    texts = {
        "header twice alg": good[:-1] + ', "alg": "none"}',
        "header twice kid": good[:-1] + f', "kid": "{forge.kid}"}}',
        "header array": "[]",
        "header number": "1",
        "header null": "null",
        "header string": '"x"',
        "header empty": "",
        "header not JSON": "{alg:ES256}",
        "header BOM": "﻿" + good,
        "header trailing": good + "x",
        "header NaN": '{"alg":NaN}',
        "header comment": good + "/**/",
    }
    for name, text in texts.items():
        yield name, forge.es256(b64(text), payload)
    yield "header not UTF-8", forge.es256(b64(b'{"alg":"ES256","typ":"at+jwt","kid":"\xff"}'), payload)
    yield "header UTF-16", forge.es256(b64(good.encode("utf-16")), payload)
    yield "header nested 100,000 deep", f"{b64(DEEP)}.{payload}.{b64(bytes(64))}"
    yield "header nested within the length", f"{b64('[' * 900)}.e30.{b64(bytes(64))}"
    yield "header of 10 MB", f"{b64(_json(forge.header(x='a' * 10_000_000)))}.{payload}.{b64(bytes(64))}"


def _claims(forge: Forge) -> Iterator[tuple[str, object]]:
    # long because it is a list: one line or two for each attack
    at = int(forge.now.timestamp())
    for name in ("iss", "aud", "sub", "jti", "iat", "nbf", "exp"):
        yield f"{name} missing", forge.signed(claims=forge.claims(**{name: MISSING}))
        yield f"{name} null", forge.signed(claims=forge.claims(**{name: None}))
        yield f"{name} list", forge.signed(claims=forge.claims(**{name: []}))
        yield f"{name} object", forge.signed(claims=forge.claims(**{name: {}}))
        yield f"{name} true", forge.signed(claims=forge.claims(**{name: True}))
    for name in ("iat", "nbf", "exp"):
        value = forge.claims()[name]
        yield f"{name} as text", forge.signed(claims=forge.claims(**{name: str(value)}))
        yield f"{name} as float", forge.signed(claims=forge.claims(**{name: float(value)}))
        yield (
            f"{name} huge",
            forge.signed(claims=_json(forge.claims()).replace(f'"{name}": {value}', f'"{name}": 1' + "0" * 1000)),
        )
        yield (
            f"{name} infinite",
            forge.signed(claims=_json(forge.claims()).replace(f'"{name}": {value}', f'"{name}": 1e999')),
        )
        yield (
            f"{name} Infinity",
            forge.signed(claims=_json(forge.claims()).replace(f'"{name}": {value}', f'"{name}": Infinity')),
        )
        yield f"{name} NaN", forge.signed(claims=_json(forge.claims()).replace(f'"{name}": {value}', f'"{name}": NaN'))
        yield f"{name} negative", forge.signed(claims=forge.claims(**{name: -1}))
        yield f"{name} of 2,001 digits", forge.es256(b64(_json(forge.header())), b64(f'{{"{name}":1{"0" * 2000}}}'))
    times: dict[str, dict[str, Any]] = {
        "expired by 6 s": {"iat": at - 606, "nbf": at - 606, "exp": at - 6},
        "expired a day ago": {"iat": at - 86_700, "exp": at - 86_400},
        "issued in 6 s": {"iat": at + 6, "exp": at + 606},
        "issued tomorrow": {"iat": at + 86_400, "nbf": at + 86_400, "exp": at + 87_000},
        "not before in 6 s": {"nbf": at + 6},
        "living for 901 s": {"exp": at + 901},
        "living for a year": {"exp": at + 31_536_000},
        "living for no time": {"exp": at},
        "ending before it began": {"exp": at - 1},
        "year 31 million": {"exp": 10**15},
        "auth_time in the future": {"auth_time": at + 60},
        "auth_time text": {"auth_time": str(at)},
        "auth_time float": {"auth_time": at + 0.5},
        "auth_time negative": {"auth_time": -1},
        "auth_time true": {"auth_time": True},
        "auth_time huge": {"auth_time": 10**30},
    }
    for name, change in times.items():
        yield name, forge.signed(claims=forge.claims(**change))
    others: dict[str, dict[str, Any]] = {
        "aud of another": {"aud": "other"},
        "aud list": {"aud": [AUDIENCE]},
        "aud list of two": {"aud": [AUDIENCE, "other"]},
        "aud prefix": {"aud": AUDIENCE + "x"},
        "aud case": {"aud": AUDIENCE.upper()},
        "iss of another": {"iss": "urn:evil"},
        "iss list": {"iss": [ISSUER]},
        "iss with slash": {"iss": ISSUER + "/"},
        "sub number": {"sub": 1},
        "sub empty": {"sub": ""},
        "sub NUL": {"sub": forge.subject + "\x00"},
        "sub newline": {"sub": forge.subject + "\n"},
        "sub surrogate": {"sub": "\ud800"},
        "sub injection": {"sub": "stf_' OR '1'='1"},
        "sub of another kind": {"sub": "sub_" + "0" * 26},
        "sub upper": {"sub": forge.subject.upper()},
        "jti empty": {"jti": ""},
        "jti number": {"jti": 7},
        "jti newline": {"jti": "a" * 20 + "\n"},
        "jti long": {"jti": "a" * 65},
        "jti slash": {"jti": "a/" * 10},
        "at_hash": {"at_hash": "x"},
    }
    for name, change in others.items():
        yield name, forge.signed(claims=forge.claims(**change))
    good = _json(forge.claims())
    header = b64(_json(forge.header()))
    twice = {"sub": '"stf_' + "1" * 26 + '"', "exp": str(at + 800), "aud": f'"{AUDIENCE}"', "jti": '"' + "x" * 20 + '"'}
    for name, value in twice.items():
        yield f"{name} twice", forge.es256(header, b64(good[:-1] + f', "{name}": {value}}}'))
        yield f"{name} twice, ours last", forge.es256(header, b64("{" + f'"{name}": {value}, ' + good[1:]))
    for name, text in {
        "array": f"[{good}]",
        "null": "null",
        "number": "1",
        "text": '"x"',
        "empty": "",
        "trailing": good + "{}",
        "BOM": "﻿" + good,
    }.items():
        yield f"claims {name}", forge.es256(header, b64(text))
    yield "claims not UTF-8", forge.es256(header, b64(b'{"sub":"\xff"}'))
    yield "claims nested", forge.es256(header, b64('{"sub":' + "[" * 500 + "]" * 500 + "}"))


def _spellings(forge: Forge) -> Iterator[tuple[str, object]]:
    good = forge.signed()
    header, payload, signature = good.split(".")
    yield from {
        "trailing newline": good + "\n",
        "trailing space": good + " ",
        "leading space": " " + good,
        "trailing dot": good + ".",
        "leading dot": "." + good,
        "padding in the signature": good + "==",
        "padding in the header": f"{header}==.{payload}.{signature}",
        "junk in the signature": f"{header}.{payload}.{signature[:20]}!{signature[20:]}",
        "newline in the signature": f"{header}.{payload}.{signature[:20]}\n{signature[20:]}",
        "junk in the header": f"{header[:5]}*{header[5:]}.{payload}.{signature}",
        "junk in the payload": f"{header}.{payload[:5]} {payload[5:]}.{signature}",
        "tab": good.replace(".", "\t.", 1),
        "NUL": good + "\x00",
        "non-ASCII digit": good + "１",
        "cut signature": good[:-4],
        "longer signature": good + "AAAA",
        "double signature": good + signature,
        "upper case": good.upper(),
        "standard alphabet": f"{header}.{payload}." + signature.replace("-", "+").replace("_", "/") + "+",
        "URL-encoded": good.replace(".", "%2E"),
        "swapped parts": f"{payload}.{header}.{signature}",
        "quoted": f'"{good}"',
        "bearer twice": f"Bearer {good}",
    }.items()
    # The last character of each part carries bits that base64 does not use: another spelling of the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for index, part in enumerate((header, payload, signature)):
        loose = {2: 4, 3: 2}.get(len(part) % 4)
        if loose is not None:
            other = part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]
            parts = [header, payload, signature]
            parts[index] = other
            yield f"part {index} spelt with loose bits", ".".join(parts)


def _shapes(forge: Forge) -> Iterator[tuple[str, object]]:
    good = forge.signed()
    yield from {
        "None": None,
        "bytes": good.encode(),
        "number": 1,
        "list": [good],
        "dict": {"token": good},
        "empty": "",
        "dots": "..",
        "one part": "abc",
        "two parts": "abc.def",
        "four parts": good + ".abc",
        "five parts": "a.b.c.d.e",
        "4,097 characters": "a" * 4097,
        "10 MB": "a" * 10_000_000,
        "surrogate": "\ud800.a.b",
        "JSON form": _json({"payload": good, "signatures": []}),
        "only spaces": "   ",
    }.items()
