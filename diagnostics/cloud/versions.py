"""The api-versions that vmreach speaks: the newest that the pinned SDKs know.

An older version hides properties, and a PUT at it would take them away ("Troubleshoot Azure Microsoft.Network failed
provisioning state"). tests/cloud/test_versions.py holds these to the SDKs' own defaults.
"""

NETWORK = "2026-03-01"
COMPUTE = "2026-04-01"
METRICS = "2024-02-01"
ACTIVITY_LOG = "2015-04-01"

SCALE_SET_NETWORK = "2018-10-01"
"""Of the NICs of a uniform scale set: Microsoft.Compute has them, in the words of Microsoft.Network."""

ACTIVITY_LOG_ALERTS = "2020-10-01"
DIAGNOSTIC_SETTINGS = "2021-05-01-preview"
LOCKS = "2020-05-01"
PERMISSIONS = "2022-04-01"
RESOURCES = "2021-04-01"
