"""Where key-encryption keys may lie, and which one of them the key store is under.

The settings name candidates: a file and its successor `<file>.next`, a value and its successor, a token with a key and
its successor. The key store says which KEK is in force; the candidate with that id is the one. None is ever tried.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from compliance.vault.kek import EnvKek, FileKek, KekProvider, create_kek_file, sync_folder
from compliance.vault.kek_pkcs11 import Pkcs11Kek, TokenKey
from compliance.vault.store import kek_in_force
from deploy.safety import unsafe
from deploy.values import KekSource, Settings, TokenSource, Where
from models.database.engine import Database
from models.errors import CaseworkError, KeysUnavailable, UnsafeSetting

_PROBE: Final = b"\0" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One place that the settings name; `follows` marks a successor."""

    where: Where
    follows: bool
    place: str
    open: Callable[[], KekProvider]


def candidates(settings: Settings) -> Iterator[Candidate]:
    """Every place that the settings name and that is there, present ones before their successors."""
    kek = settings.kek
    for follows in (False, True):
        value, name = (kek.next_value, "CASEWORK_KEK_NEXT") if follows else (kek.value, "CASEWORK_KEK")
        if value is not None:
            yield Candidate(where=Where.ENV, follows=follows, place=name, open=partial(EnvKek, value))
        label = _label(kek.token, follows=follows)
        if kek.token is not None and label is not None:
            place = f"{label} in token {kek.token.token}"
            yield Candidate(where=Where.PKCS11, follows=follows, place=place, open=partial(_in_token, kek.token, label))
        file = kek.next_file if follows else kek.file
        if file.exists():
            yield Candidate(where=Where.FILE, follows=follows, place=str(file), open=partial(FileKek, file))


def kek_of(settings: Settings) -> KekProvider:
    """The key-encryption key for a key store that has none yet: the value, else the token, else the file.

    Raises:
        KeysUnavailable: the file is missing.
        UnsafeSetting: others can read it, or it holds no key.
    """
    if settings.kek.value is not None:
        return EnvKek(settings.kek.value)
    if settings.kek.token is not None:
        return _in_token(settings.kek.token, settings.kek.token.key)
    return FileKek(settings.kek.file)


def kek_for(settings: Settings, keys: Database) -> KekProvider:
    """The key-encryption key that this key store is under; for an empty store, the one it would get.

    Raises:
        KeysUnavailable: store, file or token do not answer.
        UnsafeSetting: none of the settings' keys is the one.
    """
    kek_id = kek_in_force(keys)
    return kek_of(settings) if kek_id is None else kek_named(settings, kek_id)


def kek_named(settings: Settings, kek_id: str) -> KekProvider:
    """The key-encryption key of that id.

    Raises:
        KeysUnavailable: a file is missing or a token does not answer.
        UnsafeSetting: none of the settings' keys is the one.
    """
    found: list[str] = []
    refusal: CaseworkError | None = None
    for candidate in candidates(settings):
        try:
            kek = candidate.open()
        except (KeysUnavailable, UnsafeSetting) as error:
            refusal = refusal or error
            continue
        if kek.id == kek_id:
            return kek
        found.append(f"{kek.id} ({candidate.place})")
    if not found:
        raise refusal or KeysUnavailable(
            detail=f"the key store is under the key-encryption key {kek_id}, and there is none at {settings.kek.file}: "
            "put the file back, or name the token (CASEWORK_KEK_PKCS11_…)"
        )
    raise UnsafeSetting(
        detail=f"{' and '.join(found)} does not open this key store, which is under the key-encryption key {kek_id}: "
        "put the right key back; nothing was changed"
    )


def usable_keks(settings: Settings, proved: set[str]) -> frozenset[str]:
    """Ids of the key-encryption keys that this process could work with now; `proved` remembers tokens that answered."""
    usable = set()
    for candidate in candidates(settings):
        try:
            kek = candidate.open()
            if candidate.where is Where.PKCS11 and kek.id not in proved:
                kek.wrap(_PROBE, associated_data=b"")  # an id alone does not show that the token has the key
                proved.add(kek.id)
        except CaseworkError:
            continue
        usable.add(kek.id)
    return frozenset(usable)


# Change ---------------------------------------------------------------------------------------------------------------


def successor(settings: Settings, keys: Database, *, to: Where | None) -> KekProvider:
    """The key-encryption key to change to; a file is made if it is not there yet.

    Args:
        settings: of this installation.
        keys: the key store.
        to: what is to hold the key from now on; what holds it now, if not given.

    Raises:
        UnsafeSetting: the settings name no such key; the detail says which one is missing.
        KeysUnavailable: the token does not answer.
    """
    kek, present = settings.kek, where_now(settings, keys)
    target = present if to is None else to
    follows = target is present
    if target is Where.FILE:
        file = kek.next_file if follows else kek.file
        if not file.exists():
            create_kek_file(file)
        return FileKek(file)
    if target is Where.ENV:
        value, name = (kek.next_value, "CASEWORK_KEK_NEXT") if follows else (kek.value, "CASEWORK_KEK")
        if value is None:
            raise unsafe(name, problem="is not set", fix="set it to 32 random bytes in base64, for every process")
        return EnvKek(value)
    label = _label(kek.token, follows=follows)
    if kek.token is None or label is None:
        name = "CASEWORK_KEK_PKCS11_NEXT_KEY" if follows and kek.token is not None else "CASEWORK_KEK_PKCS11_MODULE"
        raise unsafe(name, problem="is not set", fix="make the key in the token and name it, for every process")
    return _in_token(kek.token, label)


def where_now(settings: Settings, keys: Database) -> Where:
    """What holds the key-encryption key in force."""
    kek_id = kek_in_force(keys)
    return next((one.where for one in candidates(settings) if _is(one, kek_id)), Where.FILE)


def settle_files(settings: Settings, kek_id: str) -> str | None:
    """After a change from file to file: the successor takes the file's name. Repeatable; returns what the old one is.

    The old file is kept, under the name of its key: backups of the key store that were made before the change need it.
    Running processes find the key under either name.
    """
    kek = settings.kek
    if not kek.next_file.exists() or FileKek(kek.next_file).id != kek_id:
        return None
    kept = None
    if kek.file.exists():
        kept = kek.file.with_name(f"{kek.file.name}.was-{FileKek(kek.file).id.removeprefix('local:')}")
        kek.file.rename(kept)
    kek.next_file.rename(kek.file)
    sync_folder(kek.file.parent)
    return None if kept is None else str(kept)


def _is(candidate: Candidate, kek_id: str | None) -> bool:
    try:
        return candidate.open().id == kek_id
    except CaseworkError:
        return False


def _label(token: TokenSource | None, *, follows: bool) -> str | None:
    if token is None:
        return None
    return token.next_key if follows else token.key


def _in_token(token: TokenSource, label: str) -> KekProvider:
    return Pkcs11Kek(TokenKey(module=token.module, token=token.token, key=label, pin=token.pin or ""))


def is_made_here(kek: KekSource) -> bool:
    """Whether the first key-encryption key is a file, which this program makes."""
    return kek.value is None and kek.token is None
