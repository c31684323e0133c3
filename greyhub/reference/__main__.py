"""``python -m greyhub.reference docs``: write the reference pages, and the chart's schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from greyhub.reference import chart, commands, metrics, options


def main(docs: str = "docs") -> None:
    """Write the pages and schemas of a checkout, by its directory of documentation."""
    reference = Path(docs) / "reference"
    (reference / "options.md").write_text(options.page())
    (reference / "schema.json").write_text(json.dumps(options.schema(), indent=2) + "\n")
    (reference / "commands.md").write_text(commands.page())
    (reference / "metrics.md").write_text(metrics.page())
    values = Path(docs).parent / "charts/greyhub/values.yaml"
    text = values.read_text()
    (reference / "chart.md").write_text(chart.page(text))
    schema = json.dumps(chart.schema(text), indent=2) + "\n"
    values.with_name("values.schema.json").write_text(schema)


if __name__ == "__main__":
    main(*sys.argv[1:])
