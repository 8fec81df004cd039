"""One cluster for all requests, reached only when one of them needs it."""

from threading import Lock

from plugins.kubernetes.cluster import Cluster, connect
from plugins.kubernetes.settings import Settings, active_context, load_kubeconfig
from plugins.protocol.provider import Operation, ProviderError


class Access:
    """The way to the cluster. Methods may be called from many threads."""

    def __init__(self, settings: Settings, *, offline: bool = False) -> None:
        """Remember how to reach the cluster; offline, it is never looked for."""
        self.settings = settings
        self._offline = offline
        self._cluster: Cluster | None = None
        self._lock = Lock()
        self._looked = False

    def cluster(self) -> Cluster:
        """Return the cluster, connecting the first time.

        Raises:
            ProviderError: no usable kubeconfig.
        """
        with self._lock:
            if self._cluster is None:
                self._cluster = connect(self.settings)
            return self._cluster

    def default_namespace(self) -> str:
        """Return the namespace of objects that name none; a preview needs no kubeconfig for it."""
        if self.settings.namespace or self._offline:
            return self.settings.namespace or "default"
        try:
            _, context = active_context(load_kubeconfig(self.settings), self.settings.context)
        except ProviderError:
            return "default"
        return context.get("namespace") or "default"

    def look(self, operation: Operation) -> None:
        """In a preview, say once when the cluster is away: the preview then rests on the program alone."""
        with self._lock:
            if self._looked or self._offline:
                return
            self._looked = True
        try:
            self.cluster().call("GET", "/version")
        except ProviderError as error:
            operation.warn(f"previewing without a cluster, from the program alone; an `up` would fail: {error}")
