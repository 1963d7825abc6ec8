"""Where an API key is kept: the system's keyring where `keyring` is installed, else the settings file."""

from importlib import import_module
from typing import Any

from pydantic import SecretStr

from vnpy_aiagent.config import Settings

SERVICE = "vnpy_aiagent"


class KeyStore:
    """The system's keyring, one key for each server address. Without the package it holds nothing."""

    def __init__(self) -> None:
        """Look for the package once."""
        self._keyring: Any | None = None
        try:
            self._keyring = import_module("keyring")
        except ImportError:
            return  # `available` says so, and the settings file is used instead

    @property
    def available(self) -> bool:
        """Whether a keyring is there."""
        return self._keyring is not None

    def get(self, base_url: str) -> str:
        """The key of a server, empty where there is none. OSError where the keyring refuses."""
        return str(self._ask("get_password", base_url) or "")

    def put(self, base_url: str, key: str) -> None:
        """Keep the key of a server. OSError where the keyring refuses."""
        self._ask("set_password", base_url, key)

    def _ask(self, what: str, *args: str) -> Any:
        if self._keyring is None:
            return None
        try:
            return getattr(self._keyring, what)(SERVICE, *args)
        except Exception as error:
            raise OSError(f"the system's keyring refused: {error}") from error


def with_key(settings: Settings, store: KeyStore) -> Settings:
    """Settings whose model has its key: their own, else the one that the keyring holds for the server."""
    llm = settings.llm
    if llm.offline or llm.api_key.get_secret_value() or not store.available:
        return settings
    key = SecretStr(store.get(llm.base_url))
    return settings.model_copy(update={"llm": llm.model_copy(update={"api_key": key})})
