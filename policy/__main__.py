"""The CrossGuard pack: ``pulumi preview --policy-pack policy`` (with the vendor's language host; see 0106).

Creating the pack starts a server and does not return, so nothing imports this module.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The engine starts this file with its own folder as the import root.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import (  # type: ignore[import-not-found]  # lives in the pack's own environment
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from infra.config.load import load_stack
from policy.declared import DECLARED_RULES, DeclaredRule, declared_by
from policy.rules import OBJECT_RULES, Rule, default_deny

_KUBERNETES = "kubernetes:"


def _about_one_object(named: Callable[..., Any], rule: Rule) -> ResourceValidationPolicy:
    def validate(resource: ResourceValidationArgs, report: ReportViolation) -> None:
        if resource.resource_type.startswith(_KUBERNETES):
            for mistake in rule(resource.props):
                report(mistake)

    return ResourceValidationPolicy(named.__name__.replace("_", "-"), named.__doc__ or "", validate)


# The engine hands a pack the stack's configuration as it does a program.
DECLARED = declared_by(load_stack())


def _knowing(rule: DeclaredRule) -> Rule:
    return lambda manifest: rule(manifest, DECLARED)


def _about_the_stack(stack: StackValidationArgs, report: ReportViolation) -> None:
    objects = [resource.props for resource in stack.resources if resource.resource_type.startswith(_KUBERNETES)]
    for mistake in default_deny(objects):
        report(mistake)


PolicyPack(
    name="aihub",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(_about_one_object(rule, rule) for rule in OBJECT_RULES),
        *(_about_one_object(rule, _knowing(rule)) for rule in DECLARED_RULES),
        StackValidationPolicy("default-deny", default_deny.__doc__ or "", _about_the_stack),
    ],
)
