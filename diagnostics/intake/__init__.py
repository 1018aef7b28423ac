"""Intake: alert payloads, Event Grid events and queue messages become requests."""
