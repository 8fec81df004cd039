"""From the configuration of the cards to what lets pods use them."""

from infra.gpu.device_plugin import DevicePlugin, DevicePluginArgs
from infra.gpu.plan import COMPONENT
from infra.gpu.runtime import Runtime, RuntimeArgs
from infra.site import Site


def declare(site: Site) -> None:
    """Declare RuntimeClass and device plugin; nothing where this stack makes no card usable."""
    gpu = site.stack.gpu
    if not gpu.is_set_up:
        return
    runtime = Runtime("gpu-runtime", RuntimeArgs(handler=gpu.runtime_class), opts=site.options)
    DevicePlugin(
        COMPONENT,
        DevicePluginArgs(
            namespace=site.namespaces["gpu"],
            runtime_class=runtime.runtime_class,
            on_all_nodes=gpu.nodes == "all",
            shares=gpu.sharing.replicas if gpu.sharing else None,
            refuse_several=gpu.sharing.fail_requests_greater_than_one if gpu.sharing else True,
        ),
        opts=site.options,
    )
