"""The api-versions that vmreach speaks: the newest that the pinned SDKs know.

An older version hides properties, and a PUT at it would take them away ("Troubleshoot Azure Microsoft.Network failed
provisioning state"). tests/cloud/test_versions.py holds these to the SDKs' own defaults.
"""

NETWORK = "2026-03-01"
COMPUTE = "2026-04-01"
