"""A catalogue is opened by others than wrote it: it runs nothing, and reads no token."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from greyhub.data.catalog import Catalog
from greyhub.errors import CatalogError
from tests.data.support import FIRST, SECOND, Write, opened

ESCAPE = "''.__class__.__mro__[1].__subclasses__()"
READER = "intake.readers.readers"

RUNS_FIRST = {
    "shell in an argument": "{driver: csv, args: {urlpath: \"{{ shell('touch PWNED') }}\"}}",
    "shell of the client": "{driver: csv, args: {urlpath: \"{{client_shell('touch PWNED')}}\"}}",
    "shell in a default": "{driver: csv, args: {urlpath: '{{ x }}'}, parameters: "
    "{x: {type: str, description: '', default: shell(touch PWNED)}}}",
    "an escape from the template": f'{{driver: csv, args: {{urlpath: "{{{{ {ESCAPE} }}}}"}}}}',
    "a template's statement": "{driver: csv, args: {urlpath: '{% set x = 1 %}'}}",
    "a template's globals": "{driver: csv, args: {urlpath: '{{ lipsum.__globals__ }}'}}",
    "a driver that is any class": "{driver: os.system, args: {command: touch PWNED}}",
    "a driver that is any module": "{driver: hostile.Driver}",
    "a class instead of a driver": "{cls: os.system, args: [touch PWNED]}",
    "a class beside a driver": "{driver: csv, cls: subprocess.Popen}",
    "drivers by name": "{driver: {one: {class: hostile.Driver}}}",
    "a pickle": "{driver: numpy, args: {path: x.npy, allow_pickle: true}}",
    "an alias of a class": "{driver: intake.source.derived.GenericTransform, args: "
    "{transform: os.system, targets: [x]}}",
    "a parameter of a builtin": "{driver: csv, args: {urlpath: '{{ x }}'}, parameters: "
    "{x: {type: eval, description: '', default: '1'}}}",
}

RUNS_SECOND = {
    "func": f"{{reader: '{READER}:PandasCSV', kwargs: {{converters: '{{func(os:system)}}'}}}}",
    "import": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: '{{import(hostile)}}'}}}}",
    "a nested func": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: [{{y: '{{func(a:b)}}'}}]}}}}",
    "pickle64": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: '{{pickle64(gASVHQ==)}}'}}}}",
    "a default that imports": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: '{{y}}'}}, "
    "user_parameters: {y: {cls: 'intake.readers.user_parameters:BaseUserParameter', "
    "default: 'import(hostile:x)'}}}",
    "any reader": "{reader: 'hostile:Reader', kwargs: {}}",
    "a module as a reader": f"{{reader: '{READER}:PythonModule', kwargs: {{}}}}",
    "a model that is a pickle": f"{{reader: '{READER}:SKLearnModelReader', kwargs: {{}}}}",
    "a program as a reader": f"{{reader: '{READER}:LlamaServerReader', kwargs: {{}}}}",
    "SQL": f"{{reader: '{READER}:DuckSQL', kwargs: {{}}}}",
    "a pipeline": "{reader: 'intake.readers.convert:Pipeline', kwargs: {steps: []}}",
    "what is no class": f"{{reader: '{READER}:import_name', kwargs: {{name: hostile}}}}",
    "a class instead of a reader": "{cls: 'hostile:Reader'}",
    "a parameter of any class": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: '{{y}}'}}, "
    "user_parameters: {y: {cls: 'hostile:Parameter', default: 1}}}",
    "a parameter of a builtin": f"{{reader: '{READER}:PandasCSV', kwargs: {{x: '{{y}}'}}, "
    "user_parameters: {y: {cls: 'intake.readers.user_parameters:SimpleUserParameter', "
    "dtype: eval, default: '1'}}}",
    "data of any class": f"{{reader: '{READER}:PandasCSV', kwargs: {{data: '{{data(d)}}'}}}}",
    "a pickle": f"{{reader: '{READER}:NumpyReader', kwargs: {{allow_pickle: true}}}}",
}


@pytest.fixture
def hostile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there if any code of a catalogue has run."""
    mark = folder / "PWNED"
    (folder / "hostile.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    return mark


@pytest.mark.parametrize("bad", RUNS_FIRST.values(), ids=RUNS_FIRST.keys())
def test_the_first_format_runs_nothing(write: Write, hostile: Path, bad: str) -> None:
    catalog = opened(write(FIRST.rstrip() + f"\n      bad: {bad}\n"))
    with pytest.raises(CatalogError, match="'bad'"):
        catalog["bad"].read()
    assert not hostile.exists()
    assert len(catalog["rain"].read()) == 3


@pytest.mark.parametrize("bad", RUNS_SECOND.values(), ids=RUNS_SECOND.keys())
def test_the_second_format_runs_nothing(write: Write, hostile: Path, bad: str) -> None:
    text = SECOND.replace("    entries:", f"    entries:\n      bad: {bad}")
    catalog = opened(write(text.rstrip() + "\n      d: {datatype: 'hostile:Data'}\n"))
    with pytest.raises(CatalogError, match="'bad'"):
        catalog["bad"].read()
    assert not hostile.exists()
    assert len(catalog["rain"].read()) == 3


def test_an_attribute_of_a_parameter_is_text(write: Write) -> None:
    text = SECOND.replace("rain.csv", "{x.__class__}{x!r}{x[0]}").replace(
        "metadata:", "user_parameters: {x: {default: 1}}\n        metadata:"
    )
    assert opened(write(text))["rain"].data.url.endswith("/{x.__class__}{x!r}{x[0]}")


def test_plugins_of_the_first_format_are_not_imported(write: Write, hostile: Path) -> None:
    plugins = "    plugins:\n      source:\n        - module: hostile\n"
    assert len(opened(write(plugins + FIRST.lstrip("\n")))["rain"].read()) == 3
    assert not hostile.exists()


def test_the_output_that_an_entry_claims_is_not_imported(write: Write, hostile: Path) -> None:
    text = SECOND.replace("reader: ", "output_instance: 'hostile:x'\n        reader: ")
    reader = opened(write(text))["rain"]
    dir(reader)
    assert not hostile.exists()
    assert reader.output_instance == "pandas:DataFrame"


@pytest.mark.parametrize("name", ["my_readers:Reader", "my_readers.Reader"])
def test_readers_that_the_administrator_allows(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (folder / "my_readers.py").write_text(
        "from intake.readers.readers import PandasCSV\nclass Reader(PandasCSV):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    path = write(SECOND.replace("intake.readers.readers:PandasCSV", name))
    with pytest.raises(CatalogError, match="which catalogues may not") as caught:
        opened(path)["rain"]
    assert f"c.LocalData.readers = ['{name}']" in str(caught.value)
    assert len(opened(path, readers=["my_readers:Reader"])["rain"].read()) == 3


def test_drivers_that_the_administrator_allows(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "my_drivers.py").write_text(
        "from intake.source.csv import CSVSource\nclass Driver(CSVSource):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    path = write(FIRST.replace("driver: csv", "driver: my_drivers.Driver"))
    with pytest.raises(CatalogError, match="a catalogue may not name code") as caught:
        opened(path)["rain"]
    assert "c.LocalData.readers = ['my_drivers.Driver']" in str(caught.value)
    assert len(opened(path, readers=["my_drivers.Driver"])["rain"].read()) == 3


@pytest.mark.parametrize(
    ("driver", "says"),
    [
        ("intake.source.derived.Columns", "a catalogue may not name code"),
        ("intake.source.derived:GenericTransform", "a catalogue may not name code"),
        ("intake.catalog.local.YAMLFilesCatalog", "a catalogue may not name code"),
        ("no_such_package.readers.Reader", "needs no_such_package, which is not installed here"),
        ("alias", "'intake.source.derived.AliasSource' as its driver, by its short name"),
        ("no-such-driver", "no installed package brings it"),
        ("csvv", "no installed package brings it; did you mean 'csv'"),
    ],
)
def test_what_is_refused_is_not_told_to_be_missing(write: Write, driver: str, says: str) -> None:
    path = write(FIRST.replace("driver: csv", f"driver: '{driver}'"))
    with pytest.raises(CatalogError, match=says):
        opened(path)["rain"]


# Variables and secrets

FIRST_SECRET = """
    sources:
      rain:
        driver: csv
        args:
          urlpath: "{{ CATALOG_DIR }}/rain.csv"
          storage_options: {secret: "{{ env(RAIN_KEY) }}"}
"""
SECOND_SECRET = """
    version: 2
    entries:
      rain:
        reader: intake.readers.readers:PandasCSV
        kwargs: {data: "{data(rain-file)}"}
    data:
      rain-file:
        datatype: intake.readers.datatypes:CSV
        kwargs: {url: "{CATALOG_DIR}/rain.csv", storage_options: {secret: "{env(RAIN_KEY)}"}}
"""
SECRETS = {"first": FIRST_SECRET, "second": SECOND_SECRET}
CANARY = "s3cr3t-canary"


@pytest.fixture(params=SECRETS.values(), ids=SECRETS.keys())
def secret(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RAIN_KEY", CANARY)
    return str(request.param)


def test_a_variable_that_is_given(write: Write, secret: str) -> None:
    source = opened(write(secret), environment=["RAIN_KEY"])["rain"]
    assert source.data.storage_options == {"secret": CANARY}


def test_a_variable_that_is_not_given(write: Write, secret: str) -> None:
    catalog = opened(write(secret))
    with pytest.raises(CatalogError, match=r"env\(RAIN_KEY\) reads a variable that") as caught:
        catalog["rain"]
    assert "c.LocalData.environment = ['RAIN_KEY']" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "GREYHUB_DATA", "CONFIGPROXY_AUTH_TOKEN"]
)
def test_the_hubs_variables_are_given_to_nobody(
    write: Write, monkeypatch: pytest.MonkeyPatch, secret: str, name: str
) -> None:
    monkeypatch.setenv(name, CANARY)
    catalog = opened(write(secret.replace("RAIN_KEY", name)), environment=[name])
    with pytest.raises(CatalogError, match="belongs to the hub, which no catalogue may"):
        catalog["rain"]


def test_a_variable_in_a_default(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    text = FIRST.rstrip().replace("rain.csv", "{{ x }}.csv") + (
        "\n        parameters: {x: {type: str, description: X, default: env(RAIN_KEY)}}\n"
    )
    with pytest.raises(CatalogError, match="reads a variable that catalogues are not given"):
        opened(write(text))["rain"]
    monkeypatch.setenv("RAIN_KEY", "rain")
    assert len(opened(write(text), environment=["RAIN_KEY"])["rain"].read()) == 3


@pytest.mark.parametrize("braces", ["{{ x }}", "key-{{ x }}", "{x}", "key-{x}"])
def test_a_secret_default_is_not_shown(
    write: Write, monkeypatch: pytest.MonkeyPatch, braces: str
) -> None:
    monkeypatch.setenv("RAIN_KEY", CANARY)
    if "{{" in braces:
        text = FIRST_SECRET.rstrip() + (
            "\n        parameters: {x: {type: str, description: X, default: env(RAIN_KEY)}}\n"
        )
    else:
        text = SECOND_SECRET.replace(
            "  entries:", "  user_parameters:\n      x: {default: env(RAIN_KEY)}\n    entries:"
        )
    text = text.replace("{{ env(RAIN_KEY) }}", braces).replace("{env(RAIN_KEY)}", braces)
    text = text.replace("secret:", "user:")
    catalog = opened(write(text), environment=["RAIN_KEY"])
    assert catalog["rain"].data.storage_options["user"].endswith(CANARY)
    assert CANARY not in everything_said(catalog)


def test_a_variable_that_is_not_set(
    write: Write, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.delenv("RAIN_KEY")
    with pytest.raises(CatalogError, match="needs the environment variable RAIN_KEY, which is not"):
        opened(write(secret), environment=["RAIN_KEY"])["rain"]


def everything_said(catalog: Catalog) -> str:
    source = catalog["rain"]
    said = [repr(catalog), catalog._repr_html_(), str(catalog.describe("rain"))]
    return " ".join([*said, repr(source), repr(source.data), repr(copy.deepcopy(source.data))])


def test_no_secret_is_shown(write: Write, secret: str) -> None:
    catalog = opened(write(secret), environment=["RAIN_KEY"])
    assert CANARY not in everything_said(catalog)
    assert CANARY.encode() not in pickle.dumps(catalog)


def test_a_secret_in_plain_text_is_not_shown(write: Write, secret: str) -> None:
    for written in ("{{ env(RAIN_KEY) }}", "{env(RAIN_KEY)}"):
        secret = secret.replace(written, CANARY)
    catalog = opened(write(secret))
    assert catalog["rain"].data.storage_options == {"secret": CANARY}
    assert CANARY not in everything_said(catalog)


def test_no_error_shows_a_secret(write: Write, secret: str) -> None:
    text = secret.replace("rain.csv", "{env(RAIN_KEY)}.csv")
    catalog = opened(write(text), environment=["RAIN_KEY"])
    with pytest.raises(CatalogError) as caught:
        catalog["rain"]
    assert "'rain' is not here: there is no ***" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_driver_that_quotes_a_secret(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    (folder / "talkative.py").write_text(
        "from intake.source.csv import CSVSource\n"
        "from intake.readers.readers import PandasCSV\n"
        "class Driver(CSVSource):\n"
        "    def __init__(self, storage_options=None, **more):\n"
        "        raise RuntimeError(f'cannot log in with {storage_options[\"secret\"]}')\n"
        "class Reader(PandasCSV):\n"
        "    def __init__(self, data=None, **more):\n"
        "        raise RuntimeError(f'cannot log in with {data.storage_options[\"secret\"]}')\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    text = secret.replace("driver: csv", "driver: talkative.Driver")
    text = text.replace("intake.readers.readers:PandasCSV", "talkative:Reader")
    names = ["talkative.Driver", "talkative:Reader"]
    catalog = opened(write(text), environment=["RAIN_KEY"], readers=names)
    with pytest.raises(CatalogError, match=r"RuntimeError: cannot log in with \*\*\*") as caught:
        catalog["rain"]
    assert caught.value.__cause__ is None


def test_a_secret_reaches_a_worker_as_plain_text(write: Write, secret: str) -> None:
    # The worker may have no greyhub, and needs the value.
    source = opened(write(secret), environment=["RAIN_KEY"])["rain"]
    sent = pickle.dumps(source)
    assert b"greyhub" not in sent
    assert pickle.loads(sent).data.storage_options == {"secret": CANARY}


def test_reading_changes_nothing(write: Write, folder: Path) -> None:
    path = write(FIRST)
    before = {each: each.stat() for each in folder.rglob("*")}
    opened(path)["rain"].read()
    after = {each: each.stat() for each in folder.rglob("*")}
    assert {each: stat.st_mtime_ns for each, stat in before.items()} == {
        each: stat.st_mtime_ns for each, stat in after.items()
    }
