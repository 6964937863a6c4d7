"""The key-encryption key in a token (HSM, 密码机) that speaks PKCS #11. The key never leaves it.

Needs the extra `pkcs11`. The key is an AES key of 256 bits that the token's keeper has made: sensitive, not
extractable, good for encryption and decryption; one that could be taken out is refused. Keys are wrapped with
AES-256-GCM inside the token, with the binding as associated data.

One session per token and process, opened at the first use and again when the token was away. A PIN that was refused is
not tried again by this process: a few tries lock the token.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.suites import NONCE_BYTES, TAG_BYTES
from models.errors import CannotOpen, CaseworkError, KeysUnavailable, UnsafeSetting

_FORMAT: Final = 2
_MECHANISM: Final = 1  # AES-256-GCM; another byte is another mechanism
_HEADER: Final = bytes((_FORMAT, _MECHANISM))
_KEY_BYTES: Final = 32
_TAG_BITS: Final = TAG_BYTES * 8
_PROBE: Final = b"casework pkcs11 probe"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """Where the key lies.

    Attributes:
        module: the library that came with the token.
        token: label of the token.
        key: label of the key in it.
        pin: of the token's user; never printed.
    """

    module: Path
    token: str
    key: str
    pin: str = field(repr=False)


class Pkcs11Kek(KekProvider):
    """Wrapped form: `format=2 mechanism=1 nonce(12) ciphertext tag(16)`."""

    def __init__(self, place: TokenKey) -> None:
        """Remember the place; the token is asked when it is needed."""
        self._place = place
        self._token = _Token.of(place)
        self._handle: Any = None

    @property
    def id(self) -> str:
        return kek_id(self._place)

    def wrap(self, key: bytes, *, associated_data: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        bound = framed("casework.wrapped", _HEADER, associated_data)
        return _HEADER + nonce + self._asked(lambda: self._crypt("encrypt", key, nonce, bound))

    def unwrap(self, wrapped: bytes, *, associated_data: bytes) -> bytes:
        if len(wrapped) < len(_HEADER) + NONCE_BYTES + TAG_BYTES or wrapped[: len(_HEADER)] != _HEADER:
            raise CannotOpen(detail="not a key that was wrapped in a token")
        nonce, sealed = wrapped[len(_HEADER) :][:NONCE_BYTES], wrapped[len(_HEADER) + NONCE_BYTES :]
        bound = framed("casework.wrapped", _HEADER, associated_data)
        return self._asked(lambda: self._opened(sealed, nonce, bound))

    # Inside -----------------------------------------------------------------------------------------------------------

    def _asked(self, question: Callable[[], T]) -> T:
        """Ask the token; once more with a new session when it had been away."""
        with self._token.lock:
            try:
                return question()
            except CaseworkError:
                raise
            except _errors() as first:
                self._forget()
                try:
                    return question()
                except _errors():
                    self._forget()
                    raise self._silent(first) from None

    def _opened(self, sealed: bytes, nonce: bytes, bound: bytes) -> bytes:
        try:
            return self._crypt("decrypt", sealed, nonce, bound)
        except _errors():
            # Tokens differ in how they name a tag that does not fit. One that still works says no to this value.
            probe_nonce = os.urandom(NONCE_BYTES)
            probe = self._crypt("encrypt", _PROBE, probe_nonce, b"")
            if self._crypt("decrypt", probe, probe_nonce, b"") != _PROBE:
                raise
            raise CannotOpen(detail="the authentication tag does not fit") from None

    def _crypt(self, what: str, data: bytes, nonce: bytes, bound: bytes) -> bytes:
        pkcs11 = _library()
        if self._handle is None:
            self._handle = self._found(self._token.session())
        work = getattr(self._handle, what)
        done = work(
            data,
            mechanism=pkcs11.Mechanism.AES_GCM,
            mechanism_param=pkcs11.GCMParams(nonce, bound, _TAG_BITS),
        )
        return bytes(done)

    def _found(self, session: Any) -> Any:
        pkcs11, place = _library(), self._place
        try:
            key = session.get_key(
                object_class=pkcs11.ObjectClass.SECRET_KEY, key_type=pkcs11.KeyType.AES, label=place.key
            )
        except pkcs11.NoSuchKey:
            raise KeysUnavailable(
                detail=f"token {place.token} has no AES key labelled {place.key}: make it there, or mend the label"
            ) from None
        except pkcs11.MultipleObjectsReturned:
            raise UnsafeSetting(detail=f"token {place.token} has several keys labelled {place.key}") from None
        attribute = pkcs11.Attribute
        if key[attribute.EXTRACTABLE] or not key[attribute.SENSITIVE] or key[attribute.VALUE_LEN] != _KEY_BYTES:
            raise UnsafeSetting(
                detail=f"the key {place.key} in token {place.token} is not an AES key of 256 bits that stays in the "
                "token: make one with CKA_SENSITIVE and without CKA_EXTRACTABLE"
            )
        return key

    def _forget(self) -> None:
        self._handle = None
        self._token.close()

    def _silent(self, error: BaseException) -> KeysUnavailable:
        return KeysUnavailable(
            detail=f"token {self._place.token} does not answer ({type(error).__name__}): is it plugged in and unlocked?"
        )


class _Token:
    """The one session that this process has with a token."""

    _known: Final[dict[tuple[Path, str, str], "_Token"]] = {}
    _knowing: Final = threading.Lock()

    def __init__(self, place: TokenKey) -> None:
        self._place = place
        self._session: Any = None
        self._refused: str | None = None
        self.lock = threading.RLock()

    @classmethod
    def of(cls, place: TokenKey) -> "_Token":
        with cls._knowing:
            return cls._known.setdefault((place.module, place.token, place.pin), cls(place))

    def session(self) -> Any:
        """Open and logged in.

        Raises:
            KeysUnavailable: library or token are missing, or the PIN was refused.
        """
        if self._session is not None:
            return self._session
        pkcs11, place = _library(), self._place
        if self._refused is not None:
            raise KeysUnavailable(
                detail=f"token {place.token} refused the PIN ({self._refused}); it is not tried again before a restart"
            )
        try:
            library = pkcs11.lib(str(place.module))
            self._session = library.get_token(token_label=place.token).open(user_pin=place.pin)
        except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinExpired) as no:
            self._refused = type(no).__name__
            raise KeysUnavailable(
                detail=f"token {place.token} refuses the PIN ({self._refused}): mend CASEWORK_KEK_PKCS11_PIN_FILE, and "
                "unlock the token if it is locked"
            ) from None
        except pkcs11.NoSuchToken:
            raise KeysUnavailable(detail=f"no token labelled {place.token}: is it plugged in?") from None
        except pkcs11.UserAlreadyLoggedIn:
            self._session = library.get_token(token_label=place.token).open()
        except pkcs11.PKCS11Error as error:
            text = f"{place.module} or token {place.token} cannot be used: {type(error).__name__}"
            raise KeysUnavailable(detail=text) from None
        return self._session

    def close(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            session.close()
        except _errors():
            return  # it was gone already


def kek_id(place: TokenKey) -> str:
    """The name of a key in a token; asks nobody."""
    return f"pkcs11:{place.token}/{place.key}"


def _errors() -> type[Exception]:
    kind: type[Exception] = _library().PKCS11Error
    return kind


def _library() -> Any:
    """The binding.

    Raises:
        UnsafeSetting: it is not installed.
    """
    try:
        import pkcs11  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise UnsafeSetting(
            detail="CASEWORK_KEK_PKCS11_MODULE is set, but python-pkcs11 is not installed: "
            "install the extra `pkcs11` (pip install 'casework[pkcs11]')"
        ) from None
    return pkcs11
