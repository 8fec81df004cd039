"""The API server: a few calls over the official client's transport and authentication, manifests as plain data.

The client's dynamic interface is not used: it keeps its discovery in a world-readable file that outlives the
CRDs it describes, and it knows no ``fieldValidation``.
"""

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, new_client_from_config_dict

from plugins.kubernetes.settings import Settings, active_context, load_kubeconfig
from plugins.protocol.provider import ProviderError

FIELD_MANAGER = "pulumi"
"""Owner of the fields this provider sets; ``kubectl get --show-managed-fields`` shows it."""
CONNECT_SECONDS = 5
READ_SECONDS = 60
CONNECTIONS = 64
APPLY = "application/apply-patch+yaml"

Manifest = dict[str, Any]


class UnreachableError(ProviderError):
    """The API server does not answer."""


class ApiError(ProviderError):
    """The API server said no."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class UnknownKindError(ApiError):
    """The API server has no such kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(
            f"the API server knows no {kind} in {api_version}: install what defines it first "
            "(its CustomResourceDefinition; depends_on orders the two)",
            404,
        )


@dataclass(frozen=True, kw_only=True)
class ResourceKind:
    """Where objects of one kind live."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the URL path of one object, or of all in a namespace."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


class Cluster:
    """One API server as one identity. Methods may be called from many threads."""

    def __init__(self, client: ApiClient, *, default_namespace: str) -> None:
        """Use the given client; ``connect`` makes one from a kubeconfig."""
        self._client = client
        self._kinds: dict[str, dict[str, ResourceKind]] = {}
        self._lock = threading.Lock()
        self.default_namespace = default_namespace
        self.server: str = client.configuration.host

    def kind(self, api_version: str, kind: str) -> ResourceKind:
        """Return where a kind lives; asked once, and again while the server lacks it.

        Raises:
            UnknownKindError: the server has none of that kind.
        """
        with self._lock:
            if kind not in self._kinds.get(api_version, {}):
                self._kinds[api_version] = self._discover(api_version, kind)
            try:
                return self._kinds[api_version][kind]
            except KeyError:
                raise UnknownKindError(api_version, kind) from None

    def _discover(self, api_version: str, kind: str) -> dict[str, ResourceKind]:
        root = "/apis/" if "/" in api_version else "/api/"
        try:
            found = self.call("GET", root + api_version)
        except ApiError as error:
            if error.status == 404:
                raise UnknownKindError(api_version, kind) from None
            raise
        return {
            each["kind"]: ResourceKind(
                api_version=api_version, kind=each["kind"], plural=each["name"], namespaced=each["namespaced"]
            )
            for each in found["resources"]
            if "/" not in each["name"]
        }

    def path_of(self, manifest: Manifest) -> str:
        """Return the URL path of the object that a manifest describes."""
        kind = self.kind(manifest["apiVersion"], manifest["kind"])
        namespace = manifest["metadata"].get("namespace") or self.default_namespace
        return kind.path(namespace, manifest["metadata"]["name"])

    def get(self, manifest: Manifest) -> Manifest | None:
        """Return the live object that a manifest names, or None."""
        try:
            return self.call("GET", self.path_of(manifest))
        except ApiError as error:
            if error.status == 404 and not isinstance(error, UnknownKindError):
                return None
            raise

    def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Apply a manifest on the server's side and return the object; unknown and repeated fields are errors."""
        query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"), ("force", str(force).lower())]
        return self.call("PATCH", self.path_of(manifest), query, json.dumps(manifest), APPLY)

    def delete(self, manifest: Manifest, propagation: str) -> None:
        """Ask for an object's deletion; one that is gone already is no error."""
        try:
            self.call("DELETE", self.path_of(manifest), [("propagationPolicy", propagation)])
        except ApiError as error:
            if error.status != 404:
                raise

    def list(self, api_version: str, kind: str, namespace: str, labels: str = "", fields: str = "") -> list[Manifest]:
        """Return the objects that match both selectors."""
        path = self.kind(api_version, kind).path(namespace)
        items: list[Manifest] = self.call("GET", path, [("labelSelector", labels), ("fieldSelector", fields)])["items"]
        return items

    def logs(self, namespace: str, pod: str, container: str, lines: int, *, previous: bool) -> str:
        """Return the end of a container's log; empty when there is none."""
        query = [("container", container), ("tailLines", str(lines)), ("previous", str(previous).lower())]
        try:
            return self._text("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query)
        except ProviderError:
            return ""

    def call(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: str | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        """Send one request and return the answer's JSON.

        Raises:
            UnreachableError: no answer.
            ApiError: an answer that is not a success, in the server's own words.
        """
        answer: Manifest = json.loads(self._text(method, path, query, body, content_type))
        return answer

    def _text(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: str | None = None,
        content_type: str = "application/json",
    ) -> str:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        given = [pair for pair in query if pair[1]]
        try:
            request = self._client.param_serialize(
                method, path, query_params=given, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            response = self._client.call_api(*request, _request_timeout=(CONNECT_SECONDS, READ_SECONDS))
            text: str = response.read().decode()  # type: ignore[no-untyped-call]  # the client leaves it out
        except (urllib3.exceptions.HTTPError, ConfigException, OSError, ApiException) as error:
            # The transport reports a failed TLS handshake as an ApiException without status.
            raise UnreachableError(
                f"the Kubernetes API server {self.server} cannot be reached ({_short(error)}): start the cluster, or "
                "name another one with KUBECONFIG or the provider's kubeconfig and context"
            ) from None
        if not 200 <= response.status < 300:
            raise _api_error(self.server, response.status, text)
        return text


def _short(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).rsplit(">: ", maxsplit=1)[-1].rsplit("): ", maxsplit=1)[-1]


def _api_error(server: str, status: int, text: str) -> ApiError:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if status == 401:
        return ApiError(f"{server} does not accept the kubeconfig's credentials: renew them", status)
    message = answer.get("message") or text.strip() or f"HTTP status {status}"
    causes = (answer.get("details") or {}).get("causes") or []
    conflicts = [
        f"{cause.get('field')} ({cause.get('message')})"
        for cause in causes
        if cause.get("reason") == "FieldManagerConflict"
    ]
    if conflicts:
        message = (
            f"fields have another owner: {', '.join(conflicts)}; leave them out, or take them over with the annotation "
            'pulumi.com/patchForce: "true"'
        )
    return ApiError(message, status)


def connect(settings: Settings) -> Cluster:
    """Return the cluster that the settings name; nothing is sent yet.

    Raises:
        ProviderError: no usable kubeconfig.
    """
    kubeconfig = load_kubeconfig(settings)
    context, content = active_context(kubeconfig, settings.context)
    configuration = Configuration()
    # The pool's own warnings about each try would reach the person before the one clear error.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.retries = urllib3.Retry(total=2, backoff_factor=0.2, redirect=0, status=0)
    try:
        client = new_client_from_config_dict(  # type: ignore[no-untyped-call]  # the client leaves it out
            kubeconfig, context=context, persist_config=False, client_configuration=configuration
        )
    except ConfigException as error:
        raise ProviderError(f"context {context} of the kubeconfig cannot be used: {error}") from None
    return Cluster(client, default_namespace=settings.namespace or content.get("namespace") or "default")
