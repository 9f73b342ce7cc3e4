"""
The full client, for people's own Python: `elasticsearch` 8.19 speaking with either engine.

Importing it takes a quarter of a second; nothing that runs when there is nothing to do may
import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elastic_transport import HttpHeaders, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType

from searchindex.endpoint import Endpoint
from searchindex.engines.base import Engine

if TYPE_CHECKING:
    from elastic_transport._node import NodeApiResponse  # the package exports the nodes, not their answer
    from elasticsearch import Elasticsearch

_OWN_TYPE = "application/vnd.elasticsearch+"


class EitherEngineNode(Urllib3HttpNode):
    """
    A connection that speaks plain JSON and lets the client believe that it met its own product.

    OpenSearch knows neither the media types of Elasticsearch nor the header by which its client
    recognises a server.
    """

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send one request; see the class."""
        answer = super().perform_request(method, target, body, _plain(headers), request_timeout)
        answer.meta.headers["X-Elastic-Product"] = "Elasticsearch"
        return answer


def _plain(headers: HttpHeaders | None) -> HttpHeaders:
    plain = HttpHeaders(headers or {})
    for name in ("accept", "content-type"):
        value = plain.get(name) or ""
        if value.startswith(_OWN_TYPE):
            kind = value.removeprefix(_OWN_TYPE).partition(";")[0]
            plain[name] = f"application/{kind}"
    return plain


def connect(endpoint: Endpoint, engine: Engine) -> Elasticsearch:
    """
    Build a client.

    Args:
        endpoint: Where the server listens.
        engine: What answers there.

    Returns:
        A client; close it after use.
    """
    from elasticsearch import Elasticsearch

    options: dict[str, Any] = {"request_timeout": 60, "max_retries": 3, "retry_on_timeout": False}
    if endpoint.api_key:
        options["api_key"] = endpoint.api_key
    elif endpoint.user:
        options["basic_auth"] = (endpoint.user, endpoint.password)
    if endpoint.ca_certs:
        options["ca_certs"] = endpoint.ca_certs
    if engine.kind != "Elasticsearch":
        options["node_class"] = EitherEngineNode
    return Elasticsearch(f"{endpoint.scheme}://{endpoint.address}{endpoint.path}", **options)
