"""The functions: one blueprint per trigger. Each hands its message to the app and nothing more."""

from diagnostics.triggers.alerts import blueprint as alerts
from diagnostics.triggers.audit import blueprint as audit
from diagnostics.triggers.close import blueprint as close
from diagnostics.triggers.diagnose import blueprint as diagnose
from diagnostics.triggers.poison import blueprint as poison
from diagnostics.triggers.remediate import blueprint as remediate
from diagnostics.triggers.sweep import blueprint as sweep

BLUEPRINTS = (alerts, diagnose, remediate, close, sweep, audit, poison)
