"""What is odd about the rules of an NSG: dead, redundant, conflicting, generalised and unreadable rules, exactly."""

from diagnostics.network.anomalies.axes import common_services
from diagnostics.network.anomalies.report import Anomaly, Kind, anomalies, anomalies_of

__all__ = ["Anomaly", "Kind", "anomalies", "anomalies_of", "common_services"]
