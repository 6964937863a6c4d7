"""Ask import-linter about copies of the source, each with one more file. `python importing.py <root> <variants.json>`.

Runs in a process of its own whose only source is the copy: the tests' process has already imported the real packages.
"""

import json
import sys
from pathlib import Path
from typing import Any


def broken_contracts() -> list[str]:
    """The ids of the contracts in `pyproject.toml` of the current directory that do not hold."""
    from importlinter import api  # noqa: F401 - importing it configures the library
    from importlinter.application import use_cases

    options = use_cases.read_user_options(config_filename="pyproject.toml")
    use_cases._register_contract_types(options)
    report = use_cases.create_report(options, cache_dir=".import_linter_cache")
    ids = {contract["name"]: contract["id"] for contract in options.contracts_options}
    return sorted(ids[contract.name] for contract, check in report.get_contracts_and_checks() if not check.kept)


def main(root: str, variants_file: str) -> None:
    """Print what is broken in the source as it is (under "") and with each variant's file."""
    variants: dict[str, dict[str, str]] = json.loads(Path(variants_file).read_text())
    sys.path.insert(0, root)
    answers: dict[str, Any] = {"": broken_contracts()}
    for name, variant in variants.items():
        path = Path(root, variant["path"])
        before = path.read_text() if path.exists() else None
        path.write_text(variant["source"])
        answers[name] = broken_contracts()
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
