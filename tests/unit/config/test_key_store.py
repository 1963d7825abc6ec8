"""Where API keys lie: the keyring where one can be used, else a private file; found by every command."""

import os
import stat
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from vnpy_aiagent.config import Fallback, LlmSettings, QuickModel, Settings, load_settings
from vnpy_aiagent.errors import KeyStoreError
from vnpy_aiagent.keys import SERVICE, KeyStore, with_key
from vnpy_aiagent.places import user_folder

URL = "https://api.deepseek.com/v1"
SECRET = "sk-very-secret"


class Backend:
    """A keyring's backend in memory."""

    def __init__(self, priority: float = 5) -> None:
        self.priority = priority
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, user: str) -> str | None:
        self._check("")
        return self.held.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        self._check(password)
        self.held[service, user] = password

    def _check(self, password: str) -> None:
        if self.locked:
            raise RuntimeError(f"locked while storing {password}")


@pytest.fixture
def use_backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(backend: Backend | None) -> None:
        module = SimpleNamespace(get_keyring=lambda: backend) if backend else None
        monkeypatch.setitem(sys.modules, "keyring", module)

    return use


def model(api_key: str = "") -> Settings:
    return Settings(llm=LlmSettings(base_url=URL, model="m", api_key=SecretStr(api_key)))


def test_without_the_package_a_key_lies_in_a_file_and_comes_back(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    KeyStore(tmp_path).put(URL + "/", SECRET)
    store = KeyStore(tmp_path)
    assert (store.in_keyring, store.get(URL), store.get("https://other/v1")) == (False, SECRET, "")
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_file_is_for_its_owner_alone_whatever_it_was_before(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    path = tmp_path / "keys.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o666)
    KeyStore(tmp_path).put(URL, SECRET)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_keyring_keeps_the_key_and_the_file_only_the_address(use_backend: Any, tmp_path: Path) -> None:
    backend = Backend()
    use_backend(backend)
    KeyStore(tmp_path).put(URL, SECRET)
    assert backend.held == {(SERVICE, URL): SECRET}
    assert SECRET not in (tmp_path / "keys.json").read_text(encoding="utf-8")
    assert KeyStore(tmp_path).get(URL) == SECRET


def test_a_plain_text_backend_is_no_keyring(use_backend: Any, tmp_path: Path) -> None:
    use_backend(Backend(priority=0.5))
    assert not KeyStore(tmp_path).in_keyring


def test_a_key_from_before_the_keyring_is_still_found(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    KeyStore(tmp_path).put(URL, SECRET)
    use_backend(Backend())
    assert KeyStore(tmp_path).get(URL) == SECRET


def test_a_process_that_cannot_open_the_keyring_says_what_to_do(use_backend: Any, tmp_path: Path) -> None:
    use_backend(Backend())
    KeyStore(tmp_path).put(URL, SECRET)
    use_backend(None)
    with pytest.raises(KeyStoreError, match="give it as AIAGENT_LLM__API_KEY"):
        with_key(model(), KeyStore(tmp_path))


def test_a_refusing_keyring_never_repeats_the_key(use_backend: Any, tmp_path: Path) -> None:
    backend = Backend()
    backend.locked = True
    use_backend(backend)
    with pytest.raises(KeyStoreError, match=r"refused \(RuntimeError\)") as caught:
        KeyStore(tmp_path).put(URL, SECRET)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("content", ["{", "[1]", '{"https://x": 3}', "\udcff"])
def test_a_damaged_file_is_named_and_not_quoted(use_backend: Any, tmp_path: Path, content: str) -> None:
    use_backend(None)
    (tmp_path / "keys.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(KeyStoreError, match=r"keys\.json cannot be read .*enter the key"):
        KeyStore(tmp_path).get(URL)


def test_the_environment_wins_over_the_stored_key(
    use_backend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_backend(None)
    store = KeyStore(tmp_path)
    store.put(URL, SECRET)
    monkeypatch.setenv("AIAGENT_LLM__BASE_URL", URL)
    monkeypatch.setenv("AIAGENT_LLM__MODEL", "m")
    assert with_key(load_settings(), store).llm.api_key.get_secret_value() == SECRET
    monkeypatch.setenv("AIAGENT_LLM__API_KEY", "sk-of-the-environment")
    assert with_key(load_settings(), store).llm.api_key.get_secret_value() == "sk-of-the-environment"


def test_the_quick_model_of_another_server_gets_that_servers_key(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    store = KeyStore(tmp_path)
    store.put(URL, SECRET)
    store.put("https://other/v1", "sk-other")
    quick = QuickModel(base_url="https://other/v1", model="small")
    settings = Settings(llm=LlmSettings(base_url=URL, model="m", quick=quick))
    llm = with_key(settings, store).llm
    assert llm.of("deep").api_key.get_secret_value() == SECRET
    assert llm.of("quick").api_key.get_secret_value() == "sk-other"
    assert with_key(settings, store).digest() == settings.digest()


def test_fallbacks_get_the_keys_of_their_servers(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    store = KeyStore(tmp_path)
    store.put("https://other/v1", "sk-other")
    spares = (
        Fallback(base_url="https://other/v1", model="a"),
        Fallback(base_url="https://other/v1", model="b", api_key=SecretStr("sk-own")),
    )
    quick = QuickModel(model="small", fallbacks=spares[:1])
    settings = Settings(llm=LlmSettings(base_url=URL, model="m", quick=quick, fallbacks=spares))
    llm = with_key(settings, store).llm
    keys = [
        [each.api_key.get_secret_value() for each in llm.of(role).servers()] for role in ("deep", "quick")
    ]
    assert keys == [["", "sk-other", "sk-own"], ["", "sk-other"]]
    assert with_key(settings, store).digest() == settings.digest()


def test_the_offline_analyst_and_local_servers_need_no_key(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    assert with_key(Settings(), KeyStore(tmp_path)) == Settings()
    assert with_key(model(), KeyStore(tmp_path)) == model()


def test_a_stored_key_shows_in_no_text_and_changes_no_digest(use_backend: Any, tmp_path: Path) -> None:
    use_backend(None)
    store = KeyStore(tmp_path)
    store.put(URL, SECRET)
    keyed = with_key(model(), store)
    assert SECRET not in repr(keyed) + str(keyed) + keyed.model_dump_json()
    assert keyed.digest() == model().digest()


def test_the_folder_is_the_one_that_vnpy_itself_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vnpy.trader import utility

    assert user_folder() == utility.TEMP_DIR / "aiagent"
    monkeypatch.delitem(sys.modules, "vnpy.trader.utility")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.chdir(tmp_path)
    assert user_folder() == utility._get_trader_dir(".vntrader")[1] / "aiagent"
    (tmp_path / ".vntrader").mkdir()
    assert user_folder() == utility._get_trader_dir(".vntrader")[1] / "aiagent"
