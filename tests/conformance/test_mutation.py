"""The proof finds every mutant there is, and no clause that binds is without."""

from greyhub.conformance import mutation
from greyhub.conformance.contract import contracts


def test_a_package_is_all_its_mutants_each_once():
    found = [each.name for each in mutation.collect(["tests.conformance"])]
    assert len(found) == len(set(found))
    named = [each.name for each in mutation.collect(["tests.conformance.homespace.mutants_names"])]
    assert named
    assert set(named) < set(found)


def test_every_contract_has_the_mutants_that_it_wants():
    found = list(mutation.collect(["tests.conformance"]))
    assert not [gap for contract in contracts() for gap in mutation.gaps(contract, found)]
