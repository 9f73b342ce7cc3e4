"""What an address doesn't take is refused the same way everywhere: parameters, methods, media types."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

DESCRIBED = """
from accord.api.schema import Generator
paths = Generator().get_schema(request=None, public=True)["paths"]
METHODS = ("get", "post", "put", "patch", "delete", "options")
def filled(path): return path.replace("{reference}", "0123456789abcdef0123456789abcdef").replace("{id}", "no")
def named(operation):
    return sorted(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
"""

PARAMETERS = """
throttle(dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], None))
asked = {}
for path, item in paths.items():
    if path.endswith("/token/"):
        continue
    for method in set(METHODS) & set(item):
        answer = client("filer").generic(
            method.upper(), filled(path) + "?stat=planned&jane@example.com=1", "{}", "application/json"
        )
        asked[f"{method} {path}"] = [problem(answer), answer.json()["errors"], named(item[method])]
say(asked)
"""

METHODS = """
throttle(dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], None))
methods, bodies, accepted = {}, {}, {}
for path, item in paths.items():
    for method in set(METHODS) - set(item):
        answer = client("filer").generic(method.upper(), filled(path), "{}", "application/json")
        told = [problem(answer), answer.json(), answer.headers.get("Allow"), sorted(item)]
        methods[f"{method} {path}"] = told
    for method in set(METHODS) & set(item):
        if "requestBody" in item[method]:
            for kind in ("application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x"):
                answer = client("filer").generic(method.upper(), filled(path), "who=jane", kind)
                bodies[f"{method} {path} {kind}"] = [problem(answer), answer.json()]
        if method == "get" and not path.endswith(("/schema/", "/docs/")):
            answer = client("filer").get(filled(path), headers={"Accept": "text/csv"})
            accepted[path] = [problem(answer), answer.json()]
say([methods, bodies, accepted])
"""

LISTS = """
def errors(query):
    answer = ask("filer", "erasure-requests/" + query)
    return [answer.status_code, answer.json().get("errors")]
say([errors("?ordering=-due_at"), errors("?limit=1&limit=2"), errors("?due=over&due=week"),
     errors("?state=planned&state=approved")[0], errors("?format=json"), errors("?limit=1&offset=0")[0],
     ask("", "erasure-requests/?stat=1").status_code,
     ask("filer", "schema/?lang=en").status_code, ask("filer", "docs/?lang=en").status_code])
"""


def test_unknown_parameters_are_refused_by_every_operation(served: Served) -> None:
    """The answer names the parameter and those that exist; what is no name isn't repeated."""
    asked = served.call(DESCRIBED + PARAMETERS)

    assert len(asked) > 25
    for operation, (told, errors, known) in asked.items():
        assert told == [400, "invalid"], operation
        assert {fault["pointer"] for fault in errors} == {"/stat", "/(parameter)"}, operation
        assert all(name in fault["detail"] for name in known for fault in errors), operation
        assert known or "No parameters" in errors[0]["detail"], operation


def test_wrong_methods_and_media_types_are_explained(served: Served) -> None:
    """Each address says what it takes, in its own words: no template, and a next move."""
    methods, bodies, accepted = served.call(DESCRIBED + METHODS)

    assert len(methods) > 90
    for operation, (told, problem, allow, taken) in methods.items():
        method = operation.split()[0].upper()
        assert told == [405, "method_not_allowed"], operation
        assert method in problem["detail"], operation
        assert method not in allow.split(", "), operation
        assert all(one.upper() in problem["next"] for one in taken), operation
    for found, code in ((bodies, [415, "unsupported_media_type"]), (accepted, [406, "not_acceptable"])):
        assert len(found) > 8
        for operation, (told, problem) in found.items():
            assert told == code, operation
            assert "application/json" in problem["next"], operation
    assert_whole(one[1] for found in (methods, bodies, accepted) for one in found.values())


def test_lists_take_what_they_describe(served: Served) -> None:
    """An order that can't be chosen is refused, and one value too many; who isn't signed in hears that."""
    ordering, twice, due, states, form, paged, stranger, schema, docs = served.call(LISTS)

    assert ordering[0] == 400
    assert "limit, offset" in ordering[1][0]["detail"]
    assert [twice[0], due[0], form[0]] == [400, 400, 400]
    assert [states, paged, stranger, schema, docs] == [200, 200, 401, 200, 200]


def assert_whole(problems: Any) -> None:
    """No problem holds a gap that should have been filled, or lacks the next move."""
    for problem in problems:
        assert "{" not in problem["title"] + problem["detail"] + problem["next"]
        assert "jane" not in str(problem)
        assert all(problem[part] for part in ("title", "detail", "next"))
