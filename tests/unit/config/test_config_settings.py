"""Settings from file, environment and overrides; every mistake is one line that names the key."""

from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from vnpy_aiagent.brain.quarantine import READER
from vnpy_aiagent.brain.roles import ROLES
from vnpy_aiagent.config import (
    STYLE_LIMITS,
    AskedRole,
    LlmSettings,
    RiskLimits,
    Settings,
    load_settings,
    read_file,
)
from vnpy_aiagent.domain import Mode, Style
from vnpy_aiagent.errors import ConfigError

SECRET = "sk-very-secret-123"
LIVE = "live: {capital_limit: 100000, allowlist: [600519.SSE]}\n"


def written(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None = None, **overrides: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, **overrides)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_anything_the_offline_analyst_serves_three_accounts() -> None:
    settings = load_settings()
    assert settings.llm.offline
    assert [account.style for account in settings.accounts] == list(Style)
    assert all(account.cash == 1_000_000 for account in settings.accounts)


def test_an_unknown_key_in_the_file_is_named(tmp_path: Path) -> None:
    text = refusal(written(tmp_path, "brian:\n  debate: false\n"))
    assert "setting brian" in text
    assert "config.yaml" in text


def test_an_unknown_nested_key_is_named_with_its_place(tmp_path: Path) -> None:
    assert "setting brain.debat" in refusal(written(tmp_path, "brain: {debat: false}"))


def test_several_mistakes_are_counted_and_named(tmp_path: Path) -> None:
    assert "(and 2 more: b, " in refusal(written(tmp_path, "a: 1\nb: 2\nc: 3\n"))


def test_a_code_that_yaml_reads_as_a_number_is_a_symbol(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "universe: [600519, 000858, 510300.SSE]\n"))
    assert settings.universe == ("600519", "000858", "510300.SSE")


@pytest.mark.parametrize("word", ["1.5", "true", "[600519]"])
def test_what_is_no_code_is_no_symbol(tmp_path: Path, word: str) -> None:
    assert "setting universe.0" in refusal(written(tmp_path, f"universe: [{word}]\n"))


def test_an_account_name_says_which_letters_it_may_have(tmp_path: Path) -> None:
    text = refusal(written(tmp_path, "accounts: [{name: 我的, style: JUDGE}]\n"))
    assert text.startswith("setting accounts.0.name in ")
    assert text.endswith("is 1 to 32 of a-z, 0-9, - and _, beginning with a letter, such as judge2")


def test_what_concerns_no_single_key_is_said_of_the_settings(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, "mode: LIVE\n")).startswith("settings in ")


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_MODUS", "PAPER")
    assert "AIAGENT_MODUS" in refusal()


def test_an_unknown_nested_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_LLM__KEY", "x")
    assert "setting llm.key" in refusal()


def test_variables_of_the_tests_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_TEST_ANYTHING", "x")
    assert load_settings().mode is Mode.PAPER


def test_a_missing_file_says_what_to_give(tmp_path: Path) -> None:
    assert "does not exist; give an existing file" in refusal(tmp_path / "none.yaml")


def test_broken_yaml_is_one_line_with_its_place(tmp_path: Path) -> None:
    text = refusal(written(tmp_path, "mode: PAPER\nuniverse: [600519.SSE\n"))
    assert "not valid YAML at line 3" in text


def test_broken_json_is_one_line(tmp_path: Path) -> None:
    assert "neither valid YAML nor JSON" in refusal(written(tmp_path, '{"mode": ', "config.json"))


@pytest.mark.parametrize(("name", "depth"), [("config.json", 200_000), ("config.yaml", 2_000)])
def test_a_file_nested_without_end_is_refused(tmp_path: Path, name: str, depth: int) -> None:
    path = written(tmp_path, '{"universe": ' + "[" * depth + "]" * depth + "}", name)
    assert "nested too deeply" in refusal(path)


def test_a_variable_nested_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_UNIVERSE", "[" * 100_000 + "]" * 100_000)
    assert "nested too deeply" in refusal()


def test_a_symbol_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert "universe" in refusal(written(tmp_path, r'{"universe": ["\udcff.SSE"]}', "config.json"))


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("mode: 模拟".encode("gbk"))
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "1: PAPER"])
def test_a_file_needs_named_settings_at_its_top(tmp_path: Path, text: str) -> None:
    assert "top level" in refusal(written(tmp_path, text))


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "# nothing\n")) == load_settings()


def test_a_file_with_a_windows_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "\ufeffmode: SIMULATION\n")).mode is Mode.SIMULATION


def test_times_of_day_and_the_key_on_need_no_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, "schedule:\n  - {name: weekly, at: 16:00, on: sunday, task: review}\n")
    job = load_settings(path).schedule[0]
    assert (job.at, job.on) == (time(16, 0), "sunday")


def test_a_code_with_leading_zeros_stays_a_word(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "universe: [000001.SZSE]")).universe == ("000001.SZSE",)
    assert "universe" in refusal(written(tmp_path, "universe: [[000001]]"))


def test_numbers_switches_and_nothing_are_read_as_such(tmp_path: Path) -> None:
    text = "brain: {debate: false, latency: 2.5, tool_steps: 3}\nlive: null\nllm: {seed: ~}\n"
    settings = load_settings(written(tmp_path, text))
    assert (settings.brain.debate, settings.brain.latency, settings.brain.tool_steps) == (False, 2.5, 3)
    assert settings.live is None
    assert settings.llm.seed is None


def test_the_environment_wins_over_the_file_key_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "llm: {base_url: http://127.0.0.1:1/v1, model: small, max_tokens: 100}\n")
    monkeypatch.setenv("AIAGENT_LLM__MODEL", "large")
    monkeypatch.setenv("AIAGENT_LLM__API_KEY", SECRET)
    llm = load_settings(path).llm
    assert (llm.base_url, llm.model, llm.max_tokens) == ("http://127.0.0.1:1/v1", "large", 100)
    assert llm.api_key.get_secret_value() == SECRET


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_MODE", "PAPER")
    monkeypatch.setenv("AIAGENT_BRAIN__DEBATE", "false")
    settings = load_settings(mode=Mode.SIMULATION)
    assert settings.mode is Mode.SIMULATION
    assert settings.brain.debate is False


def test_a_list_in_a_variable_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIAGENT_UNIVERSE", '["600519.SSE"]')
    assert load_settings().universe == ("600519.SSE",)
    monkeypatch.setenv("AIAGENT_UNIVERSE", "600519.SSE")
    assert "AIAGENT_UNIVERSE" in refusal()


def test_live_mode_needs_its_section(tmp_path: Path) -> None:
    assert "capital_limit and allowlist" in refusal(written(tmp_path, "mode: LIVE\n"))
    assert "live.allowlist" in refusal(
        written(tmp_path, "mode: LIVE\nlive: {capital_limit: 1, allowlist: []}")
    )
    assert "live.capital_limit" in refusal(written(tmp_path, "mode: LIVE\nlive: {allowlist: [600519.SSE]}"))
    settings = load_settings(written(tmp_path, "mode: LIVE\n" + LIVE))
    assert settings.live is not None
    assert settings.live.approvals == "all"


def test_base_url_and_model_belong_together(tmp_path: Path) -> None:
    assert "belong together" in refusal(written(tmp_path, "llm: {model: small}"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("accounts: [{name: a, style: JUDGE}, {name: a, style: JUDGE}]", "account names must differ"),
        (
            "accounts: [{name: a, style: JUDGE, gateway: XTP}, {name: b, style: JUDGE, gateway: XTP}]",
            "account gateways must differ",
        ),
        ("accounts: []", "accounts"),
        ("accounts: [{name: Bad Name, style: JUDGE}]", "accounts.0.name"),
        ("accounts: [{name: a, style: JUDGE, cash: 0}]", "accounts.0.cash"),
        ("accounts: [{name: a, style: JUDGE, limits: {max_exposure: .nan}}]", "max_exposure"),
        ("scan: {max_symbols: 0}", "scan.max_symbols"),
    ],
)
def test_impossible_values_are_refused(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(written(tmp_path, text))


def test_the_key_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, f"llm: {{base_url: http://x/v1, model: m, api_key: {SECRET}}}\n")
    settings = load_settings(path)
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert SECRET not in refusal(written(tmp_path, f"llm: {{model: m, api_key: {SECRET}}}"))
    assert SECRET not in refusal(written(tmp_path, f"llm:\n  api_key: {SECRET}\n  model: [m\n"))
    assert SECRET not in refusal(written(tmp_path, f"llm: {{api_kee: {SECRET}}}"))
    assert SECRET not in refusal(written(tmp_path, f"llm: {{api_key: [{SECRET}]}}"))
    monkeypatch.setenv("AIAGENT_LLM", f'{{"api_key": "{SECRET}"')
    assert SECRET not in refusal()


def test_the_digest_covers_what_decides_and_nothing_else() -> None:
    base = Settings()
    same = (
        Settings(language="en"),
        Settings(llm=LlmSettings(api_key=SECRET)),
        Settings(store={"journal": "other.db"}),
        Settings(calendar={"extra_years_file": "years.json"}),
    )
    assert {settings.digest() for settings in same} == {base.digest()}
    assert Settings(scan={"max_symbols": 3}).digest() != base.digest()
    assert Settings(mode=Mode.SIMULATION).digest() != base.digest()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().mode = Mode.LIVE


def test_limits_follow_the_style_unless_given() -> None:
    judge, *_ = (a for a in Settings().accounts if a.style is Style.JUDGE)
    assert judge.risk == STYLE_LIMITS[Style.JUDGE]
    own = judge.model_copy(update={"limits": RiskLimits(max_positions=1)})
    assert own.risk.max_positions == 1
    assert judge.gateway_name == "SIM-JUDGE"
    assert own.cash == Decimal(1_000_000)


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
    ],
)
def test_the_language_follows_the_system_until_it_is_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], shown: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().display_language == shown
    assert Settings(language="zh").display_language == "zh"


DEEP = "llm: {base_url: 'https://a/v1', model: big, api_key: k-a, timeout: 45, input_price: 2"


def quick_of(tmp_path: Path, section: str) -> LlmSettings:
    return load_settings(written(tmp_path, f"{DEEP}, quick: {section}}}\n")).llm.of("quick")


def test_a_quick_model_takes_from_the_deep_one_what_it_does_not_say(tmp_path: Path) -> None:
    quick = quick_of(tmp_path, "{model: small, max_tokens: 300}")
    assert (quick.base_url, quick.model, quick.max_tokens, quick.timeout) == (
        "https://a/v1",
        "small",
        300,
        45,
    )
    assert quick.api_key.get_secret_value() == "k-a"
    assert quick.input_price == 0
    assert quick.quick is None


def test_a_key_is_never_sent_to_another_server(tmp_path: Path) -> None:
    quick = quick_of(tmp_path, "{model: small, base_url: 'https://b/v1'}")
    assert (quick.base_url, quick.api_key.get_secret_value()) == ("https://b/v1", "")
    own = quick_of(tmp_path, "{model: small, base_url: 'https://b/v1', api_key: k-b}")
    assert own.api_key.get_secret_value() == "k-b"


def test_without_a_quick_section_both_roles_are_one_model() -> None:
    llm = LlmSettings(base_url="https://a/v1", model="big")
    assert llm.of("quick") == llm.of("deep") == llm


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"{DEEP}, quick: {{modell: x}}}}\n", "llm.quick"),
        (f"{DEEP}, quick: {{model: ''}}}}\n", "llm.quick.model"),
        ("llm: {quick: {model: small}}\n", "quick goes with base_url"),
    ],
)
def test_a_wrong_quick_section_is_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_settings(written(tmp_path, text))


def test_a_quick_key_is_secret_and_not_in_the_digest_but_its_model_is(tmp_path: Path) -> None:
    one, two, other = (
        load_settings(written(tmp_path, f"{DEEP}, quick: {section}}}\n"))
        for section in ("{model: s, api_key: k-1}", "{model: s, api_key: k-2}", "{model: t}")
    )
    assert one.digest() == two.digest() != other.digest()
    assert "k-1" not in repr(one) + one.model_dump_json()


def test_the_quick_model_can_be_given_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BASE_URL": "https://a/v1", "MODEL": "big", "QUICK__MODEL": "small"}.items():
        monkeypatch.setenv(f"AIAGENT_LLM__{name}", value)
    assert load_settings().llm.of("quick").model == "small"


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, "nonsense: {a: 1}\n")) == {"nonsense": {"a": 1}}


SPARES = (
    "fallbacks: [{base_url: 'https://b/v1', model: spare}, "
    "{base_url: 'https://a/v1/', model: small, timeout: 9}]"
)


def test_servers_are_asked_in_the_order_of_the_list_each_with_its_own_price_and_key(tmp_path: Path) -> None:
    llm = load_settings(written(tmp_path, f"{DEEP}, {SPARES}}}\n")).llm
    first, other, same = llm.of("deep").servers()
    assert [each.model for each in (first, other, same)] == ["big", "spare", "small"]
    assert [each.timeout for each in (first, other, same)] == [45, 45, 9]
    assert [each.input_price for each in (first, other, same)] == [2, 0, 0]
    assert [each.api_key.get_secret_value() for each in (first, other, same)] == ["k-a", "", "k-a"]
    assert all(each.fallbacks == () for each in (first, other, same))


def test_the_quick_model_has_the_fallbacks_of_the_deep_one_unless_it_has_its_own(tmp_path: Path) -> None:
    quick = quick_of(tmp_path, f"{{model: s}}, {SPARES}")
    assert [each.model for each in quick.servers()] == ["s", "spare", "small"]
    own = quick_of(tmp_path, f"{{model: s, fallbacks: [{{base_url: 'https://c/v1', model: c}}]}}, {SPARES}")
    assert [each.model for each in own.servers()] == ["s", "c"]


def test_roles_name_the_roles_that_are_asked() -> None:
    speakers = [style.name.lower() for style in Style]
    asked = {*(role.name for role in ROLES), *speakers, READER}
    assert set(get_args(AskedRole)) == asked


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"{DEEP}, roles: {{judge: quick}}}}\n", "roles name the quick model"),
        (f"{DEEP}, roles: {{juge: deep}}}}\n", "llm.roles"),
        (f"{DEEP}, fallbacks: [{{model: x}}]}}\n", "base_url"),
        ("llm: {fallbacks: [{base_url: 'https://b/v1', model: x}]}\n", "fallbacks go with base_url"),
        ("brain: {concurrency: 0}\n", "brain.concurrency"),
    ],
)
def test_wrong_roles_and_fallbacks_are_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_settings(written(tmp_path, text))


def test_keys_of_fallbacks_are_secret_and_not_in_the_digest(tmp_path: Path) -> None:
    def digest(key: str) -> str:
        spare = f"{{base_url: 'https://b/v1', model: x, api_key: {key}}}"
        text = f"{DEEP}, quick: {{model: s, fallbacks: [{spare}]}}, fallbacks: [{spare}]}}\n"
        made = load_settings(written(tmp_path, text))
        assert key not in repr(made) + made.model_dump_json()
        return made.digest()

    assert digest("sk-spare-1") == digest("sk-spare-2")
