"""Stand-ins for Pulumi's resource plugins, for machines that cannot reach the vendor's.

The engine finds them on PATH as ``pulumi-resource-<name>``: those of ``plugins/bin`` really act (``kubernetes``,
``docker-build``), those of ``plugins/bin/preview`` only show what a program declares. Nothing else in the project knows
them but ``make diff`` and ``make drift`` (decision 0301). Where the vendor's plugins are to be had they are not used.
"""
