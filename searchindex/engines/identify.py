"""Finding out which engine answers, of which version, and what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import UnsupportedServer
from searchindex.endpoint import Endpoint
from searchindex.engines.base import Engine, EngineFeatures
from searchindex.engines.elasticsearch import Elasticsearch
from searchindex.engines.opensearch import OpenSearch
from searchindex.transport import READ_TIMEOUT, ServerResponse, Transport

SUPPORTED: Mapping[str, frozenset[int]] = {
    "Elasticsearch": frozenset({8, 9}),
    "OpenSearch": frozenset({2, 3}),
}
_ENGINES: Mapping[str, type[Engine]] = {"Elasticsearch": Elasticsearch, "OpenSearch": OpenSearch}
_PRODUCT = "x-elastic-product"
_PRETENDED = "7.10.2"
"""What OpenSearch says, without its name, under `compatibility.override_main_response_version`."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """
    Who a server says that it is.

    Attributes:
        kind: `Elasticsearch`, `OpenSearch`, or what else it calls itself; empty when it doesn't say.
        version: Its version; empty when it doesn't say.
    """

    kind: str
    version: str


def who_answers(transport: Transport, *, timeout: float = READ_TIMEOUT) -> Identity:
    """
    Ask a server for its name and version.

    Args:
        transport: Connection.
        timeout: Seconds to wait for an answer.

    Raises:
        StoreUnavailable: It can't be reached or refuses us.
    """
    # The bare core of Elasticsearch has no `GET /` and says 405; a proxy may say 404.
    answer = transport.request("GET", "/", accept=(400, 404, 405), timeout=timeout)
    version = answer.body.get("version") if isinstance(answer.body, Mapping) else None
    told = str(version.get("number") or "") if isinstance(version, Mapping) else ""
    kind = _kind(answer, version if isinstance(version, Mapping) else {})
    if told and kind:
        return Identity(kind=kind, version=told)
    nodes = transport.request(
        "GET", "/_nodes/_local/http?filter_path=nodes.*.version", accept=(400, 404, 405), timeout=timeout
    )
    true = _node_version(nodes)
    if told and true in ("", told):
        return Identity(kind=kind, version=told)
    if told == _PRETENDED:
        return Identity(kind="OpenSearch", version=true)
    return Identity(kind=_kind(nodes, {}), version=true)


def supported(identity: Identity, endpoint: Endpoint) -> None:
    """
    Refuse a server that the suite was not built for.

    Args:
        identity: Who answered.
        endpoint: Where, for the message.

    Raises:
        UnsupportedServer: Another engine, or another version of one.
    """
    major = identity.version.partition(".")[0]
    if identity.kind in SUPPORTED and major.isdigit() and int(major) in SUPPORTED[identity.kind]:
        return
    what = f"{identity.kind} {identity.version}".strip() or "no search engine that we know"
    pretends = identity == Identity(kind="", version=_PRETENDED)
    raise UnsupportedServer(
        f"The server at {endpoint.address} is {what}.",
        hint="If it is OpenSearch, set compatibility.override_main_response_version of the cluster to false."
        if pretends
        else f"Point {endpoint.setting} at Elasticsearch 8 or 9, or at OpenSearch 2 or 3.",
    )


def identify(transport: Transport) -> Engine:
    """
    Return the engine behind a connection.

    Raises:
        UnsupportedServer: Another engine, or another version of one.
        StoreUnavailable: It can't be reached or refuses us.
    """
    identity = who_answers(transport)
    supported(identity, transport.endpoint)
    features = EngineFeatures(server_side_reindex=_has_module(transport, "reindex"))
    return _ENGINES[identity.kind](version=identity.version, features=features)


def _kind(answer: ServerResponse, version: Mapping[str, Any]) -> str:
    if answer.headers.get(_PRODUCT) == "Elasticsearch":
        return "Elasticsearch"
    distribution = str(version.get("distribution") or "")
    if distribution:
        return "OpenSearch" if distribution == "opensearch" else distribution
    # Before 7.14 Elasticsearch sent no header; its version says enough to refuse it.
    return "Elasticsearch" if "build_flavor" in version else ""


def _node_version(nodes: ServerResponse) -> str:
    found = nodes.body.get("nodes") if isinstance(nodes.body, Mapping) else None
    versions = [str(node.get("version") or "") for node in (found or {}).values()]
    return next(iter(versions), "")


def _has_module(transport: Transport, name: str) -> bool:
    nodes = transport.get("/_nodes/_local/plugins?filter_path=nodes.*.modules.name").get("nodes", {})
    modules = [{module["name"] for module in node.get("modules", ())} for node in nodes.values()]
    return bool(modules) and all(name in names for names in modules)
