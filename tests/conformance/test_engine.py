"""What an adapter may do to the suite: swallow its alarm, and say nothing of itself."""

import time

import pytest

from greyhub.conformance import engine
from greyhub.conformance.case import TimedOut
from greyhub.conformance.record import shorten


def test_the_time_is_over_also_for_an_adapter_that_swallows_the_alarm(monkeypatch):
    monkeypatch.setattr(engine, "GRACE", 0.05)
    swallowed = []

    def call():
        try:
            time.sleep(30)
        except BaseException as error:  # as fsspec's exists() does
            swallowed.append(error)
        time.sleep(30)

    with pytest.raises(TimedOut), engine._limit(0.05):
        call()
    assert [type(error) for error in swallowed] == [TimedOut]


def test_a_value_without_a_repr_is_named_by_its_class():
    class Mute:
        def __repr__(self):
            raise AttributeError("description")

    assert shorten(Mute()) == "<Mute, whose repr() raises AttributeError>"
    assert "ValueError" in shorten(ValueError("%s", Mute()))
