"""``python -m greyhub.reference docs``: write the reference pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from greyhub import option_reference as options
from greyhub.reference import commands


def main(docs: str = "docs") -> None:
    """Write the pages and the schema below a directory of documentation."""
    reference = Path(docs) / "reference"
    (reference / "options.md").write_text(options.page())
    (reference / "schema.json").write_text(json.dumps(options.schema(), indent=2) + "\n")
    (reference / "commands.md").write_text(commands.page())


if __name__ == "__main__":
    main(*sys.argv[1:])
