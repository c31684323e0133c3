"""The simulated resource manager: tokens, the workspace, computes and their states, refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.asking import SIZE, Asking, instance
from tests.support.waiting import PATIENCE, until


@pytest.fixture
def azure() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def ask(azure: Simulator) -> Asking:
    return Asking(azure)


def test_the_authority_of_the_simulator_is_needed(azure: Simulator) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(azure.url(), timeout=10)


def test_the_workspace_is_what_it_says(azure: Simulator, ask: Asking) -> None:
    found = ask.get("")
    assert found["name"] == azure.workspace
    assert found["properties"]["tenantId"] == azure.tenant


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (lambda azure: "", "AuthenticationFailed"),
        (lambda azure: "Bearer nonsense", "InvalidAuthenticationToken"),
        (
            lambda azure: f"Bearer {azure.token('https://storage.azure.com')}",
            "InvalidAuthenticationTokenAudience",
        ),
    ],
)
def test_a_request_without_a_good_token_is_challenged(
    azure: Simulator, ask: Asking, header: object, code: str
) -> None:
    ask.session.headers["Authorization"] = header(azure)  # type: ignore[operator]
    answer = ask("GET")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert azure.tenant in answer.headers["WWW-Authenticate"]


def test_an_expired_token_is_refused() -> None:
    with Simulator(lifetime=-1) as azure:
        answer = Asking(azure)("GET")
        assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"


def test_a_revoked_token_is_answered_with_claims(azure: Simulator, ask: Asking) -> None:
    azure.revoke_tokens()
    answer = ask("GET")
    assert answer.status_code == 401
    assert 'error="insufficient_claims", claims="' in answer.headers["WWW-Authenticate"]


def test_an_instance_has_nothing_to_show_until_it_is_made(azure: Simulator, ask: Asking) -> None:
    answer = ask("PUT", "computes/ci-anna", instance(tags={"hub": "lab"}))
    assert answer.status_code == 201
    assert "Retry-After" not in answer.headers
    inner = answer.json()["properties"]["properties"]
    assert answer.json()["properties"]["provisioningState"] == "Creating"
    assert [inner[k] for k in ("state", "applications", "connectivityEndpoints")] == [None] * 3
    assert ask.done(answer)["status"] == "Succeeded"
    made = ask.get("computes/ci-anna")
    assert made["tags"] == {"hub": "lab"}
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["properties"]["properties"]["state"] == "Running"
    assert made["properties"]["properties"]["connectivityEndpoints"]["privateIpAddress"]


def test_an_instance_stops_starts_restarts_and_goes(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna")
    answer = ask("POST", "computes/ci-anna/stop")
    assert ask.state("ci-anna") == "Stopping"
    assert ask("POST", "computes/ci-anna/start").status_code == 409
    assert ask.done(answer)["status"] == "Succeeded"
    assert ask.state("ci-anna") == "Stopped"
    answer = ask("POST", "computes/ci-anna/start")
    assert ask.state("ci-anna") == "Starting"
    ask.done(answer)
    answer = ask("POST", "computes/ci-anna/restart")
    assert ask.state("ci-anna") == "Restarting"
    ask.done(answer)
    assert ask.state("ci-anna") == "Running"
    answer = ask("DELETE", "computes/ci-anna", underlyingResourceAction="Delete")
    assert answer.status_code == 202
    assert ask.state("ci-anna") == "Deleting"
    ask.done(answer)
    assert ask("GET", "computes/ci-anna").status_code == 404
    assert ask("DELETE", "computes/ci-anna", underlyingResourceAction="Delete").status_code == 204
    assert not azure.violations


def test_the_list_has_pages(azure: Simulator, ask: Asking) -> None:
    azure.cloud.page_size = 2
    names = [f"ci-user{letter}" for letter in "abcde"]
    for name in names:
        ask("PUT", f"computes/{name}", instance())
    seen, url = [], "computes"
    while url:
        body = ask.get(url)
        assert len(body["value"]) <= 2
        seen += [each["name"] for each in body["value"]]
        url = body.get("nextLink")
    assert seen == names


@pytest.mark.parametrize("name", ["ab", "1abc", "ci-anna-1", "a" * 25, "ci_anna"])
def test_a_name_against_the_official_pattern_is_refused(ask: Asking, name: str) -> None:
    answer = ask("PUT", f"computes/{name}", instance())
    assert answer.status_code == 400
    assert name in answer.json()["error"]["message"]


def test_a_name_is_taken_in_the_whole_region(azure: Simulator, ask: Asking) -> None:
    azure.take_name("ci-anna")
    answer = ask("PUT", "computes/ci-Anna", instance())
    assert answer.status_code == 409
    assert "AlreadyExists" in answer.text
    assert ask("GET", "computes/ci-anna").status_code == 404


def test_a_put_over_an_instance_overwrites_it(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna")
    answer = ask("PUT", "computes/ci-anna", instance(tags={"new": "1"}))
    assert answer.status_code == 200
    assert ask("PUT", "computes/ci-anna", instance()).status_code == 409  # being made
    ask.done(answer)
    assert azure.overwritten == ["ci-anna"]
    assert ask.get("computes/ci-anna")["tags"] == {"new": "1"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "no body"),
        ({"properties": {"computeType": "Toaster"}}, "computeType"),
        (instance() | {"colour": "red"}, "colour"),
        ({**instance(), "tags": {"n": 1}}, "tags.n"),
        (
            {
                "properties": {
                    "computeType": "ComputeInstance",
                    "properties": {"vmSize": SIZE, "state": "Running"},
                }
            },
            "read-only",
        ),
    ],
)
def test_what_the_official_types_forbid_is_a_violation(
    azure: Simulator, ask: Asking, body: object, said: str
) -> None:
    answer = ask("PUT", "computes/ci-anna", body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert any(said in each for each in azure.violations)
    assert azure.instances() == {}


def test_queries_and_versions_are_checked(azure: Simulator, ask: Asking) -> None:
    assert ask("DELETE", "computes/ci-anna").status_code == 400
    answer = ask.session.get(azure.url("computes", version="2017-01-01"))
    assert answer.status_code == 400
    assert ask("GET", "toasters").status_code == 404
    assert len(azure.violations) == 3


def test_rights_are_demanded_and_told(azure: Simulator, ask: Asking) -> None:
    azure.grant("AzureML Data Scientist")
    assert ask("GET", "computes").status_code == 200
    answer = ask("PUT", "computes/ci-anna", instance())
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "AuthorizationFailed"
    url = azure.url("providers/Microsoft.Authorization/permissions", version="2022-04-01")
    told = ask("GET", url).json()["value"]
    assert any("computes/*/write" in each for each in told[0]["notActions"])
    azure.grant("Reader", "AzureML Compute Operator")
    assert ask("PUT", "computes/ci-anna", instance()).status_code == 201
    azure.grant()
    assert ask("GET", "computes").status_code == 403


def test_quota_counts_what_is_stopped(azure: Simulator, ask: Asking) -> None:
    azure.cloud.quota["standardDSv2Family"] = 2
    ask.create("ci-anna")
    ask.act("ci-anna", "stop")
    answer = ask("PUT", "computes/ci-bert", instance())
    assert answer.status_code == 400
    assert "quota" in answer.text
    place = f"{azure.endpoint}/subscriptions/{azure.subscription}/providers"
    place += f"/Microsoft.MachineLearningServices/locations/{azure.region}"
    version = "?api-version=2025-12-01"
    usage = ask.get(f"{place}/usages{version}")["value"]
    mine = next(each for each in usage if each["name"]["value"] == "standardDSv2Family")
    assert (mine["currentValue"], mine["limit"]) == (2, 2)
    assert ask.get(f"{place}/quotas{version}")["value"]
    sizes = ask.get(f"{place}/vmSizes{version}")["value"]
    assert SIZE in [each["name"] for each in sizes]
    ask.delete("ci-anna")
    ask.create("ci-bert")


def test_a_size_that_the_region_has_not_is_refused(ask: Asking) -> None:
    answer = ask("PUT", "computes/ci-anna", instance(size="Standard_Huge"))
    assert answer.status_code == 400
    assert "Standard_Huge" in answer.text


@pytest.mark.parametrize("state", ["CreateFailed", "SetupFailed", "Unusable"])
def test_a_creation_fails_when_told_so(azure: Simulator, ask: Asking, state: str) -> None:
    azure.fail_next("create", state)
    status = ask.done(ask("PUT", "computes/ci-anna", instance()))
    assert status["status"] == "Failed"
    assert status["error"]["code"] == state
    assert ask.state("ci-anna") == state
    assert ask.delete("ci-anna")["status"] == "Succeeded"


def test_a_start_fails_when_told_so_and_states_are_set(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna")
    ask.act("ci-anna", "stop")
    azure.fail_next("start", "Stopped", "ci-anna")
    assert ask.act("ci-anna", "start")["status"] == "Failed"
    assert ask.act("ci-anna", "start")["status"] == "Succeeded"
    azure.set_state("ci-anna", "Unknown")
    assert ask.state("ci-anna") == "Unknown"


def test_a_cluster_is_made(ask: Asking) -> None:
    body = {
        "location": "westeurope",
        "properties": {
            "computeType": "AmlCompute",
            "properties": {"vmSize": SIZE, "scaleSettings": {"maxNodeCount": 4}},
        },
    }
    assert ask.done(ask("PUT", "computes/workers", body))["status"] == "Succeeded"
    assert ask.get("computes/workers")["properties"]["provisioningState"] == "Succeeded"
    assert ask("POST", "computes/workers/stop").status_code == 404


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttled", 429),
        ("error", 500),
        ("unavailable", 503),
        ("forbidden", 403),
        ("policy", 403),
        ("quota", 400),
        ("size", 400),
        ("conflict", 409),
    ],
)
def test_refusals_meet_the_requests_they_are_for(
    azure: Simulator, ask: Asking, kind: str, status: int
) -> None:
    fault = azure.fault(kind, method="PUT", path="/computes/ci-", times=2)
    assert ask("GET", "computes").status_code == 200
    answers = [ask("PUT", "computes/ci-anna", instance()) for _ in range(3)]
    assert [each.status_code for each in answers] == [status, status, 201]
    assert fault.hits == 2
    assert ("Retry-After" in answers[0].headers) == (kind == "throttled")


def test_a_lost_answer_is_an_act_all_the_same(azure: Simulator, ask: Asking) -> None:
    azure.fault("reset", method="PUT")
    azure.fault("lost", method="PUT")
    for name, there in (("ci-anna", 404), ("ci-bert", 200)):
        with pytest.raises(requests.exceptions.ConnectionError):
            ask("PUT", f"computes/{name}", instance())
        assert ask("GET", f"computes/{name}").status_code == there


def test_a_request_that_hangs_is_never_answered(azure: Simulator, ask: Asking) -> None:
    fault = azure.fault("hang", path="computes$")
    with pytest.raises(requests.exceptions.ReadTimeout):
        ask.session.get(azure.url("computes"), timeout=0.3)
    assert fault.hit.is_set()
    assert ask("GET", "computes").status_code == 200


def test_budgets_are_told_and_kept(azure: Simulator, ask: Asking) -> None:
    azure.throttle("reads", 2)
    first, second, third = (ask("GET", "computes") for _ in range(3))
    name = "x-ms-ratelimit-remaining-subscription-reads"
    assert [first.headers[name], second.headers[name]] == ["1", "0"]
    assert third.status_code == 429
    assert int(third.headers["Retry-After"]) >= 1
    answer = ask("PUT", "computes/ci-anna", instance())
    assert answer.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"


def test_reads_lag_behind(azure: Simulator, ask: Asking) -> None:
    azure.lag(get=2, list=3600)
    ask("PUT", "computes/ci-anna", instance())
    assert ask("GET", "computes/ci-anna").status_code == 404
    until(lambda: ask("GET", "computes/ci-anna").ok, what="the GET")
    assert ask.get("computes")["value"] == []
    azure.lag()
    assert len(ask.get("computes")["value"]) == 1


def test_everything_is_recorded(azure: Simulator, ask: Asking) -> None:
    ask("PUT", "computes/ci-anna", instance(tags={"secret": "s3cret"}))
    (seen,) = azure.requests
    assert (seen.method, seen.status) == ("PUT", 201)
    assert "s3cret" in seen.body
    assert "s3cret" in seen.answer
    assert seen.headers["Authorization"].startswith("Bearer ")


def test_a_wrong_answer_of_its_own_is_an_error() -> None:
    azure = Simulator().start()
    try:
        azure.cloud.region = 7  # type: ignore[assignment]
        Asking(azure)("GET")
    finally:
        azure.close()
    with pytest.raises(AssertionError, match=r"Workspace\.location"):
        azure.check()


async def test_it_is_an_asynchronous_context_manager() -> None:
    async with Simulator() as azure:
        assert azure.endpoint.startswith("https://")


def test_a_deletion_ends_what_was_under_way(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna")
    stopping = ask("POST", "computes/ci-anna/stop")
    deleting = ask("DELETE", "computes/ci-anna", underlyingResourceAction="Delete")
    assert ask.done(deleting)["status"] == "Succeeded"
    assert ask.done(stopping)["error"]["code"] == "OperationPreempted"
    assert azure.instances() == {}


def test_a_mistake_of_its_own_is_told() -> None:
    azure = Simulator().start()
    azure.cloud.sizes = None  # type: ignore[assignment]
    assert Asking(azure)("PUT", "computes/ci-anna", instance()).status_code == 500
    azure.close()
    with pytest.raises(AttributeError):
        azure.check()


def test_an_answer_that_is_late_is_of_what_was_done(azure: Simulator, ask: Asking) -> None:
    fault = azure.fault("late", method="PUT", seconds=60 * PATIENCE)
    late = threading.Thread(target=ask, args=("PUT", "computes/ci-anna", instance()), daemon=True)
    late.start()
    assert fault.hit.wait(60 * PATIENCE)
    until(lambda: azure.instances(), what="the instance")
    assert late.is_alive()


def test_a_compute_that_somebody_else_deletes_is_gone(azure: Simulator, ask: Asking) -> None:
    ask.create("ci-anna")
    azure.delete("ci-anna")
    assert azure.shown("ci-anna") == {}
    assert ask("GET", "computes/ci-anna").status_code == 404
    azure.delete("ci-anna")
