"""The values are documented, and what nobody knows is refused."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

import greyhub
from greyhub.reference import chart
from tests.chart.rendering import CHART, IMAGES, ROOT, SETS, Values, helm

TEXT = (CHART / "values.yaml").read_text()
FIX = "write it anew: python -m greyhub.reference docs"


def test_the_schema_is_not_stale() -> None:
    assert json.loads((CHART / "values.schema.json").read_text()) == chart.schema(TEXT), FIX


def test_the_page_is_not_stale() -> None:
    assert (ROOT / "docs/reference/chart.md").read_text() == chart.page(TEXT), FIX


def test_every_value_is_told() -> None:
    told = chart.values(TEXT)
    assert len(told) >= 40
    defaults: Any = {}
    for each in told:
        inside = defaults
        for name in each.path[:-1]:
            inside = inside.setdefault(name, {})
        inside[each.path[-1]] = each.default
    assert defaults == yaml.safe_load(TEXT)


@pytest.mark.parametrize(
    "text",
    ["a: 1\n", "# A thing.\na: 1\nb: 2\n", '# schema: {"enum": [1]}\na: 1\n', "a:\n  b: 1\n"],
)
def test_a_value_without_a_comment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has no comment"):
        chart.values(text)


@pytest.mark.parametrize("name", SETS)
def test_the_schema_takes_what_is_meant(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(chart.schema(TEXT))
    jsonschema.validate(yaml.safe_load(TEXT), chart.schema(TEXT))
    jsonschema.validate(SETS[name], chart.schema(TEXT))


@pytest.mark.usefixtures("helm_is_there")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hub": {**IMAGES["hub"], "imge": "x"}}, "imge"),
        ({"singleuser": {}}, "singleuser"),
        ({"uid": "1000"}, "uid"),
        ({"uid": 0}, "uid"),
        ({"url": "hub.example.org"}, "url"),
        ({"secrets": [{"name": "login"}]}, "secrets"),
        ({"networkPolicy": {"blocked": ["10.0.0.1"]}}, "blocked"),
        ({"proxy": {"service": {"type": "loadBalancer"}}}, "/proxy/service/type"),
        ({"config": ""}, "--set-file config=greyhub_config.py"),
        ({"hub": {}}, "hub.image"),
        ({"ingress": {"enabled": True}, "url": ""}, "an Ingress needs the address"),
        ({"backup": {"enabled": True}}, "give backup.url or backup.claim"),
        ({"backup": {"enabled": True, "url": "s3://b", "claim": "b"}}, "and not both"),
        ({"backup": {"enabled": True, "url": "/backups"}}, "url"),
        ({"placeholders": {"replicas": 1}}, "set placeholders.priorityClass.create"),
        ({"placeholders": {"priorityClass": {"value": 0}}}, "value"),
        ({"prepull": {"enabled": True}, "notebook": {}}, "give notebook.image or prepull.images"),
    ],
)
def test_a_mistake_is_refused_in_words(wrong: Values, said: str) -> None:
    values = {**SETS["as it comes"], **wrong}
    done = helm("template", "science", CHART, values=values)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.usefixtures("helm_is_there")
def test_the_chart_may_be_a_part_of_another_one() -> None:
    values = {**SETS["as it comes"], "global": {"of": "the other"}}
    assert helm("template", "science", CHART, values=values).returncode == 0


def test_versions_are_those_of_the_package() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == greyhub.__version__
    pinned = json.loads((ROOT / "greyhub/proxy/package.json").read_text())["dependencies"]
    image = yaml.safe_load(TEXT)["proxy"]["image"]
    assert image.rpartition(":")[2] == pinned["configurable-http-proxy"]
