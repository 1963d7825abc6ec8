"""A settings file as it stands: YAML 1.2 scalars or JSON, nothing checked but its form."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from vnpy_aiagent.errors import ConfigError


class _YamlLoader(yaml.SafeLoader):
    """YAML 1.2 scalars: `on` and 000001 are words, 16:00 a time, where YAML 1.1 reads True, 1 and 960."""


_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)", "-+0123456789."),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "merge": (r"<<", "<"),
}
_YamlLoader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _SCALARS.items():
    _YamlLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), ["", *_first]
    )


def parse_yaml(content: str) -> Any:
    """What a settings file in YAML says; yaml.YAMLError where it is none."""
    return yaml.load(content, Loader=_YamlLoader)  # noqa: S506 - a SafeLoader


def read_file(path: Path) -> dict[str, Any]:
    """Keys and values of a settings file as they stand in it, nothing checked but its form."""
    try:
        content = path.read_text(encoding="utf-8-sig")
        values = json.loads(content) if path.suffix.lower() == ".json" else parse_yaml(content)
    except FileNotFoundError:
        raise ConfigError(f"config file {path} does not exist; give an existing file to --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} cannot be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"config file {path} is nested too deeply; write it as the example does") from None
    except yaml.YAMLError as error:  # its own text quotes the file, where an api_key may stand
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"config file {path} is not valid YAML{where}; correct it") from None
    except ValueError as error:
        raise ConfigError(f"config file {path} is neither valid YAML nor JSON: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"config file {path} must hold keys and values at its top level")
    return values
