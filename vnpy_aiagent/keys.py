"""Where a model's API key lies: the system's keyring where one can be used, else a file for its owner alone.

Windows has its Credential Manager, macOS its Keychain, a Linux desktop its Secret Service; the package
`keyring` speaks to them. No key stands in an error's text, a log or the journal.
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vnpy_aiagent.config import Fallback, Settings
from vnpy_aiagent.errors import KeyStoreError
from vnpy_aiagent.places import user_folder

SERVICE = "vnpy_aiagent"
FILE_NAME = "keys.json"
PRIVATE = 0o600
WORTHY = 1
"""Priority from which the package `keyring` itself recommends a backend; below it are plain-text files."""


class KeyStore:
    """One key for each server address. Every method raises KeyStoreError where the place refuses."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where the file lies, by default the app's own; look for a keyring once."""
        self.file = (folder or user_folder()) / FILE_NAME
        self._keyring = _usable_keyring()

    @property
    def in_keyring(self) -> bool:
        """Whether keys go to the system's keyring, else to `file`."""
        return self._keyring is not None

    def get(self, base_url: str) -> str:
        """The key of a server, empty where there is none."""
        server = base_url.rstrip("/")
        entry = self._entries().get(server, {})
        if self._keyring is not None:
            found = self._ask("get_password", server)
            if found:
                return str(found)
        elif entry.get("keyring"):
            raise KeyStoreError(
                f"the key of {server} lies in the system's keyring, which this process cannot open; "
                "give it as AIAGENT_LLM__API_KEY, or enter it in the window once more"
            )
        return str(entry.get("key", ""))

    def put(self, base_url: str, key: str) -> None:
        """Keep the key of a server; the file notes the address of one that went to the keyring."""
        server = base_url.rstrip("/")
        entries = self._entries()
        if self._keyring is not None:
            self._ask("set_password", server, key)
            entries[server] = {"keyring": True}
        else:
            entries[server] = {"key": key}
        self._write(entries)

    def _ask(self, what: str, *args: str) -> Any:
        try:
            return getattr(self._keyring, what)(SERVICE, *args)
        except Exception as error:  # noqa: BLE001 - a foreign backend; its text might quote what it was given
            raise KeyStoreError(
                f"the system's keyring refused ({type(error).__name__}); unlock it, or give the key as "
                "AIAGENT_LLM__API_KEY"
            ) from None

    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            entries = json.loads(self.file.read_text(encoding="utf-8"))
            return {str(server): dict(entry) for server, entry in entries.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise KeyStoreError(
                f"{self.file} cannot be read ({type(error).__name__}); "
                "remove it and enter the key in the window once more"
            ) from None

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        """A new file, its owner's alone from its first byte, takes the old one's place."""
        fresh = self.file.with_name(FILE_NAME + ".new")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
                json.dump(entries, file, indent=2)
            os.replace(fresh, self.file)
        except OSError as error:
            raise KeyStoreError(
                f"{self.file} cannot be written ({error.strerror}); check the folder's rights and the disk"
            ) from None


def with_key(settings: Settings, store: KeyStore | None = None) -> Settings:
    """Settings whose models have their keys: their own (the environment's first), else the stored ones."""
    llm, found = settings.llm, dict[str, Any]()
    if llm.offline:
        return settings
    store = store or KeyStore()
    if not llm.api_key.get_secret_value():
        found["api_key"] = SecretStr(store.get(llm.base_url))
    if llm.fallbacks:
        found["fallbacks"] = _with_keys(llm.fallbacks, store)
    quick = llm.quick
    if quick is not None:
        of_quick: dict[str, Any] = {"fallbacks": _with_keys(quick.fallbacks, store)}
        if quick.base_url and not quick.api_key.get_secret_value():
            of_quick["api_key"] = SecretStr(store.get(quick.base_url))
        found["quick"] = quick.model_copy(update=of_quick)
    return settings.model_copy(update={"llm": llm.model_copy(update=found)})


def tushare_token(settings: Settings, store: KeyStore | None = None) -> str:
    """The token of Tushare: that of the settings, else the stored one; empty where there is none."""
    tushare = settings.data.tushare
    return tushare.token.get_secret_value() or (store or KeyStore()).get(tushare.address)


def _with_keys(spares: tuple[Fallback, ...], store: KeyStore) -> tuple[Fallback, ...]:
    return tuple(
        spare
        if spare.api_key.get_secret_value()
        else spare.model_copy(update={"api_key": SecretStr(store.get(spare.base_url))})
        for spare in spares
    )


def _usable_keyring() -> Any | None:
    """The backend that the package `keyring` recommends here; None without the package or such a backend."""
    try:
        backend = import_module("keyring").get_keyring()
        return backend if backend.priority >= WORTHY else None
    except Exception:  # noqa: BLE001 - a backend that cannot even be asked is none; the file takes its place
        return None
