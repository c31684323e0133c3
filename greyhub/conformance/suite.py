"""What every suite has: the adapter, its options, claims and declines, and hooks."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any, ClassVar, TypeVar

from greyhub.conformance.contract import Contract
from greyhub.conformance.testkit.faults import FaultProxy
from greyhub.errors import GreyHubError
from greyhub.imports import import_object

Hook = TypeVar("Hook", bound=Callable[..., Any])

MODES = ("fake", "emulator", "real")


class SuiteError(GreyHubError):
    """A suite that cannot be judged as it is written; says what to write."""


def hook(function: Hook) -> Hook:
    """Mark a method of a suite's base as one that the author has yet to write."""
    function.unwritten = True  # type: ignore[attr-defined]
    return function


class Suite:
    """The base of every slot's suite. Subclass a slot's own, not this class."""

    contract: ClassVar[Contract]
    """The contract of the slot; set by the slot's suite."""

    forks_each_clause: ClassVar[bool] = False
    """Whether each clause has a process of its own, forked from this; set by the slot's suite."""

    endpoint_hooks: ClassVar[Collection[str]] = ()
    """Hooks that are given where there is an `endpoint`; set by the slot's suite."""

    adapter: Any = None
    """What is judged: a class, a factory, or an import string of one."""

    config: Mapping[str, Mapping[str, Any]] = {}
    """Its options, as in ``c.MySpawner.option``; may be a method or a property."""

    mode: str = "fake"
    """What stands behind it in this run: ``fake``, ``emulator`` or ``real``."""

    claims: Collection[str] = ()
    """The capabilities it has; a mapping where a value belongs to one."""

    declines: Mapping[str, str] = {}
    """The capabilities it has not, each with the reason that the report shows."""

    endpoint: str = ""
    """The option that holds the backend's URL, ``MySpawner.url``: faults come in between."""

    patience: float = 1.0
    """Multiplies every time limit: more than 1 for a backend that is slow by nature."""

    parts: Collection[str] = ()
    """What else is judged with it, whose versions belong into the report: distributions,
    ``s3fs``, or names with their versions, ``azurite 3.35.0``."""

    _proxy: FaultProxy | None = None

    run_id: str
    """Marks what this run makes in the backend, so that it sweeps nothing of others."""

    @classmethod
    def preload(cls) -> None:
        """For the slot's suite: make what each run needs, once for many that are forked."""
        cls.origin()

    def prepare(self) -> None:
        """Make the backend ready, once, before the first clause."""

    def cleanup(self) -> None:
        """End what `prepare` began, once, after the last clause, whatever happened."""

    def begin(self) -> None:
        """For the slot's suite: what comes before the first clause, `prepare` included."""
        self.run_id = secrets.token_hex(6)
        self.prepare()

    def end(self) -> None:
        """For the slot's suite: what comes after the last clause, `cleanup` included."""
        if self._proxy is not None:
            self._proxy.close()
        self.cleanup()

    def sweep(self) -> None:
        """Remove what a clause has left in the backend. After every clause, and at the end."""

    @classmethod
    def subject(cls) -> Any:
        """The adapter itself: imported, and never bound to the suite."""
        found = inspect.getattr_static(cls, "adapter")
        found = found.__func__ if isinstance(found, (staticmethod, classmethod)) else found
        return import_object(found) if isinstance(found, str) else found

    @classmethod
    def origin(cls) -> tuple[str, str]:
        """What the report calls the adapter, and the distribution and version that brings it."""
        return origin(cls.subject())

    @classmethod
    def has(cls, name: str) -> bool:
        """Whether there is a hook: the author's, or one that the endpoint gives."""
        if cls.endpoint and name in cls.endpoint_hooks:
            return True
        found = getattr(cls, name, None)
        return found is not None and not getattr(found, "unwritten", False)

    def options(self) -> dict[str, dict[str, Any]]:
        """A copy of `config`, whichever way it was given."""
        given = self.config() if callable(self.config) else self.config
        return {section: dict(values) for section, values in given.items()}

    @property
    def proxy(self) -> FaultProxy:
        """Stands at the endpoint, from when it is first asked for."""
        if self._proxy is None:
            section, _, option = self.endpoint.rpartition(".")
            self._proxy = FaultProxy(str(self.options()[section][option]))
        return self._proxy

    def proxied(self, **names: str) -> dict[str, dict[str, Any]]:
        """The options with ``{names}`` filled in, and the proxy's URL if there is an endpoint."""
        options: dict[str, dict[str, Any]] = fill(self.options(), names)
        if self.endpoint:
            section, _, option = self.endpoint.rpartition(".")
            options.setdefault(section, {})[option] = self.proxy.url
        return options

    @classmethod
    def check(cls) -> None:
        """Refuse a suite that does not say all that it must.

        Raises
        ------
        SuiteError
            Names each thing that is missing or unknown, and what to write.
        """
        wrong = list(_wrong(cls))
        if wrong:
            raise SuiteError(
                f"{cls.__name__} cannot be judged:\n" + "\n".join(f"  {w}" for w in wrong)
            )


def fill(value: Any, names: Mapping[str, str]) -> Any:
    """A value with each ``{name}`` in its texts replaced, in whatever containers they are."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, Mapping):
        return {name: fill(each, names) for name, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(fill(each, names) for each in value)
    return value


def _wrong(cls: type[Suite]) -> list[str]:
    known = cls.contract.capabilities
    claimed, declined = set(cls.claims), set(cls.declines)
    wrong = []
    try:
        subject = cls.subject()
    except (ImportError, AttributeError, ValueError) as error:
        return [f"adapter: {cls.adapter!r} could not be imported: {error}"]
    if subject is None:
        wrong.append("adapter: say what is judged: adapter = MyAdapter")
    if cls.mode not in MODES:
        wrong.append(f"mode: {cls.mode!r} is none of {', '.join(MODES)}")
    if isinstance(cls.claims, str):
        return [*wrong, f"claims: give a set, {{{cls.claims!r}}}, not a string"]
    wrong += [
        f"{where}: {name!r} is no capability of {cls.contract.name}; there are: "
        f"{', '.join(sorted(known)) or 'none'}"
        for where, names in (("claims", claimed), ("declines", declined))
        for name in sorted(names - set(known))
    ]
    wrong += [f"{name}: both claimed and declined" for name in sorted(claimed & declined)]
    wrong += [
        f"{name}: claim it, or decline it with a reason ({known[name].help})"
        for name in sorted(set(known) - claimed - declined)
    ]
    wrong += [
        f"declines: {name!r} needs a reason, one sentence that the report shows"
        for name in sorted(declined)
        if not str(cls.declines[name]).strip()
    ]
    wrong += [
        f"claims: {name!r} is claimed with its value: claims = {{{name!r}: {known[name].value}}}"
        for name in sorted(claimed & set(known))
        if known[name].value and not isinstance(cls.claims, Mapping)
    ]
    return wrong


_distributions = cache(packages_distributions)


def origin(subject: Any) -> tuple[str, str]:
    """An adapter's import string, and the distribution and version that brings it."""
    owner = subject if hasattr(subject, "__qualname__") else type(subject)
    name = f"{owner.__module__}:{owner.__qualname__}"
    package = owner.__module__.partition(".")[0]
    # An editable installation says nothing of its packages: the name may be the same.
    for distribution in (*_distributions().get(package, ()), package):
        try:
            return name, f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return name, ""
