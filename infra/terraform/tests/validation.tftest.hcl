# What is wrong is refused before anything is made, and by name.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001"]
}

run "wrong_words" {
  command = plan

  variables {
    subscription_id     = "my-subscription"
    name                = "VM Reach"
    location            = "West Europe"
    resource_group_name = "rg."
    scopes              = ["my-subscription"]
    remediation_mode    = "manual"
    sweep_schedule      = "*/15 * * * *"
    audit_schedule      = "every day"
    audit_severity      = "bad"
    reports_container   = "Reports"
    findings_queue      = "a_b"
    teams_webhook_url   = "http://example.com/hook"
    internet_target     = "www.microsoft.com"
    run_command         = "yes"
    cloud               = "germany"
    arm_endpoint        = "http://management.azure.com"
    role_scope          = "/subscriptions/1"
    address_space       = "10.90.0.0"
    deployer_addresses  = ["203.0.113.6/31"]
    alert_addresses     = ["203.0.113.7"]
    entra_client_id     = "app"
    watched_regions     = ["West Europe"]
    maintenance         = { start = "2026-12-05" }
    connection_tests    = [{ name = "test", source_id = "vm", port = 443 }]
    operator_emails     = ["ops"]
  }

  expect_failures = [
    var.subscription_id,
    var.name,
    var.location,
    var.resource_group_name,
    var.scopes,
    var.remediation_mode,
    var.sweep_schedule,
    var.audit_schedule,
    var.audit_severity,
    var.reports_container,
    var.findings_queue,
    var.teams_webhook_url,
    var.internet_target,
    var.run_command,
    var.cloud,
    var.arm_endpoint,
    var.role_scope,
    var.address_space,
    var.deployer_addresses,
    var.alert_addresses,
    var.entra_client_id,
    var.watched_regions,
    var.maintenance,
    var.connection_tests,
    var.operator_emails,
  ]
}

run "too_little" {
  command = plan

  variables {
    scopes                 = []
    name                   = "vm"
    checks_per_region      = 0
    recheck_minutes        = -1
    history_hours          = 0
    poll_seconds           = 0
    wait_seconds           = 0
    instance_memory_mb     = 1024
    maximum_instance_count = 39
    report_retention_days  = 0
    log_retention_days     = 29
    daily_log_cap_gb       = 0
    internet_target        = "www.microsoft.com:0"
    address_space          = "10.90.0.0/25"
    entra_object_id        = "00000000-0000-0000-0000-0000000000c2"
    maintenance            = { days = [], start_time = "22:00:00", end_time = "04:00:00" }
  }

  expect_failures = [
    var.scopes,
    var.name,
    var.checks_per_region,
    var.recheck_minutes,
    var.history_hours,
    var.poll_seconds,
    var.wait_seconds,
    var.instance_memory_mb,
    var.maximum_instance_count,
    var.report_retention_days,
    var.log_retention_days,
    var.daily_log_cap_gb,
    var.internet_target,
    var.address_space,
    var.entra_client_id, # all three or none
    var.maintenance,
  ]
}

run "too_much" {
  command = plan

  variables {
    name                   = "a-name-of-21-letters-"
    checks_per_region      = 101
    recheck_minutes        = 1441
    history_hours          = 2161
    poll_seconds           = 3601
    wait_seconds           = 721
    maximum_instance_count = 1001
    report_retention_days  = 3651
    log_retention_days     = 731
    internet_target        = "www.microsoft.com:65536"
    reports_container      = "app-package"
    findings_queue         = "diagnosis-requests"
    teams_webhook_url      = "https://contoso.webhook.office.com/webhookb2/1"
    entra_identifier_uri   = "api://vmreach"
    maintenance            = { start = "2026-12-05T22:00:00", end = "2026-12-06T04:00:00", days = ["Saturday"] }
    connection_tests = [
      { name = "test", source_id = "vm", destination_id = "vm", destination_address = "192.0.2.1", port = 443 },
    ]
  }

  expect_failures = [
    var.name,
    var.checks_per_region,
    var.recheck_minutes,
    var.history_hours,
    var.poll_seconds,
    var.wait_seconds,
    var.maximum_instance_count,
    var.report_retention_days,
    var.log_retention_days,
    var.internet_target,
    var.reports_container,
    var.findings_queue,
    var.teams_webhook_url,
    var.entra_client_id, # all three or none
    var.maintenance,
    var.connection_tests,
  ]
}

run "not_whole_and_more_wrong_words" {
  command = plan

  variables {
    entra_client_id        = "00000000-0000-0000-0000-0000000000c1"
    entra_object_id        = "object"
    entra_identifier_uri   = "vmreach"
    checks_per_region      = 1.5
    recheck_minutes        = 1.5
    history_hours          = 1.5
    poll_seconds           = 1.5
    wait_seconds           = 1.5
    maximum_instance_count = 40.5
    report_retention_days  = 1.5
    log_retention_days     = 30.5
    daily_log_cap_gb       = 1.5
    maintenance            = { days = ["Samstag"], start_time = "22:00:00", end_time = "04:00:00" }
    connection_tests = [
      { name = "test", source_id = "vm", destination_id = "vm", port = 443, protocol = "Udp" },
      { name = "test", source_id = "vm", destination_id = "vm", port = 443 },
    ]
  }

  expect_failures = [
    var.checks_per_region,
    var.recheck_minutes,
    var.history_hours,
    var.poll_seconds,
    var.wait_seconds,
    var.maximum_instance_count,
    var.report_retention_days,
    var.log_retention_days,
    var.daily_log_cap_gb,
    var.entra_object_id,
    var.entra_identifier_uri,
    var.maintenance,
    var.connection_tests,
  ]
}
