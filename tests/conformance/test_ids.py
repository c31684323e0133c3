"""Ids of clauses are never reused: what once stood in a contract stands in the ledger."""

from pathlib import Path

from greyhub.conformance.contract import contracts

LEDGER = Path(__file__).with_name("ids.txt")


def test_the_ledger_names_every_clause_and_the_promise_that_it_stands_for():
    known = dict(line.split(" ", 1) for line in LEDGER.read_text().splitlines())
    there = {
        name: f"{clause.level} since {each.slot}/{clause.since}"
        for each in contracts()
        for name, clause in each.clauses.items()
    }
    new = sorted(there.keys() - known.keys())
    assert not new, f"write into {LEDGER.name}: {new}"
    retired = {name for name, said in known.items() if said.startswith("retired")}
    assert not retired & there.keys(), "an id that was retired is in use again"
    assert there == {name: said for name, said in known.items() if name not in retired}
