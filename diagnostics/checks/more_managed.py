"""NSGs that a service of Azure writes by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_remedy import remove
from diagnostics.checks.rules_told import own
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, named, rule_cause
from diagnostics.findings import Severity

_NODES = re.compile(r"aks-agentpool-\d+-nsg", re.IGNORECASE)
# Of a service of type LoadBalancer: `k8s-azure-lb_allow_IPv4_…`, before that its uid, as in `a3f…-TCP-80-Internet`.
_WRITTEN = re.compile(r"k8s-azure-lb|aks-|a[0-9a-f]{31}-", re.IGNORECASE)


@check("NSG024", "Own rule in an NSG that AKS looks after", Severity.LOW)
def among_nodes(view: View) -> Iterator[Said]:
    """AKS writes the NSG of its nodes for each service of type LoadBalancer, and may take away what others wrote there.

    Changes of resources that AKS made are not supported ("Support policies for Azure Kubernetes Service").
    """
    for group in view.groups:
        for rule in own(group) if _NODES.fullmatch(group.id.name) else ():
            if not _WRITTEN.match(rule.name):
                text = (
                    f"Put what {rule.name} is for into an NSG on the nodes' subnet, or say it in Kubernetes "
                    "(loadBalancerSourceRanges of the service, network policies); then delete the rule."
                )
                yield Found(
                    group.id,
                    f"Rule {named(rule)} of NSG {group.id.name} is not of AKS, which looks after it",
                    (rule_cause(group.id, rule), fact("managed", "AKS made this NSG for its nodes", group.id)),
                    remove(group, rule, text, "/azure/aks/support-policies"),
                    (rule.name.lower(),),
                )
