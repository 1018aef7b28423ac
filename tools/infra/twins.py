"""What of Terraform is what of Azure Resource Manager: types of resources, roles that Azure brings, and properties.

Everything without a twin stands here with its reason. What is listed and not there any more is a difference, too.
"""

from __future__ import annotations

TYPES = {
    "azurerm_application_insights": "Microsoft.Insights/components",
    "azurerm_application_insights_workbook": "Microsoft.Insights/workbooks",
    "azurerm_eventgrid_system_topic": "Microsoft.EventGrid/systemTopics",
    "azurerm_eventgrid_system_topic_event_subscription": "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    "azurerm_function_app_flex_consumption": "Microsoft.Web/sites",
    "azurerm_key_vault": "Microsoft.KeyVault/vaults",
    "azurerm_key_vault_secret": "Microsoft.KeyVault/vaults/secrets",
    "azurerm_log_analytics_saved_search": "Microsoft.OperationalInsights/workspaces/savedSearches",
    "azurerm_log_analytics_workspace": "Microsoft.OperationalInsights/workspaces",
    "azurerm_monitor_action_group": "Microsoft.Insights/actionGroups",
    "azurerm_monitor_activity_log_alert": "Microsoft.Insights/activityLogAlerts",
    "azurerm_monitor_alert_processing_rule_suppression": "Microsoft.AlertsManagement/actionRules",
    "azurerm_monitor_diagnostic_setting": "Microsoft.Insights/diagnosticSettings",
    "azurerm_monitor_metric_alert": "Microsoft.Insights/metricAlerts",
    "azurerm_monitor_scheduled_query_rules_alert_v2": "Microsoft.Insights/scheduledQueryRules",
    "azurerm_network_connection_monitor": "Microsoft.Network/networkWatchers/connectionMonitors",
    "azurerm_network_security_group": "Microsoft.Network/networkSecurityGroups",
    "azurerm_private_dns_zone": "Microsoft.Network/privateDnsZones",
    "azurerm_private_dns_zone_virtual_network_link": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "azurerm_private_endpoint": "Microsoft.Network/privateEndpoints",
    "azurerm_resource_group": "Microsoft.Resources/resourceGroups",
    "azurerm_role_assignment": "Microsoft.Authorization/roleAssignments",
    "azurerm_role_definition": "Microsoft.Authorization/roleDefinitions",
    "azurerm_service_plan": "Microsoft.Web/serverfarms",
    "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
    "azurerm_storage_container": "Microsoft.Storage/storageAccounts/blobServices/containers",
    "azurerm_storage_management_policy": "Microsoft.Storage/storageAccounts/managementPolicies",
    "azurerm_storage_queue": "Microsoft.Storage/storageAccounts/queueServices/queues",
    "azurerm_storage_table": "Microsoft.Storage/storageAccounts/tableServices/tables",
    "azurerm_user_assigned_identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azurerm_virtual_network": "Microsoft.Network/virtualNetworks",
}

TERRAFORM_ONLY = {
    "azurerm_resource_group_template_deployment": "says of the site what the provider cannot say yet",
    "azurerm_subnet": "Bicep lists the subnets in the virtual network, or a second deployment would remove them",
    "azurerm_subnet_network_security_group_association": "a property of the subnet in Bicep",
    "terraform_data": "keeps the alert key that Bicep derives",
}
"""Types of resources that only Terraform has, with the reason."""

BICEP_ONLY = {
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "a block of azurerm_private_endpoint",
    "Microsoft.Storage/storageAccounts/blobServices": "what the containers and their logs belong to",
    "Microsoft.Storage/storageAccounts/queueServices": "what the queues and their logs belong to",
    "Microsoft.Storage/storageAccounts/tableServices": "what the tables and their logs belong to",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "an argument of the site, and in site.json",
    "Microsoft.Web/sites/config": "arguments and blocks of the site, and in site.json",
}
"""Types of resources that only Bicep has, with the reason."""

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Roles that Azure brings: Bicep names them by id."""

PARAMETERS = {
    "environment_name": "azd names its environment with it (Bicep)",
    "register_resource_providers": "Bicep never registers: Azure Resource Manager does when it deploys (Terraform)",
    "role_scope": "Azure Resource Manager needs a deployment of its own there: management-group.bicep (Terraform)",
    "subscription_id": "`az deployment sub create --subscription` in Bicep (Terraform)",
}
"""Parameters that only one of the ways has, with the reason."""

WATCH = {
    "create_resource_group": "Terraform is given a group that is there (Bicep)",
    "queue_name": "Bicep writes the name of the queue where it uses it (Terraform)",
    "subscription_id": "in Bicep the one that is deployed to (Terraform)",
}
"""Parameters of what watches one subscription that only one of the ways has, with the reason."""

DEFAULTS = {
    "location": "a deployment to a subscription has a location of its own; Terraform knows no such thing",
}
"""Parameters whose defaults differ, with the reason."""

WATCH_DEFAULTS = {
    "location": "Bicep deploys it alone, and a deployment has a location; in Terraform it is a module",
    "name": "Bicep deploys it alone; in Terraform whoever calls the module says how things are named",
    "resource_group_name": "Terraform is given a group that is there",
}
"""Parameters of what watches one subscription whose defaults differ, with the reason."""

OUTPUTS: dict[str, str] = {}
"""Outputs that only one of the ways has, with the reason."""

NOT = "not "
"""Before a property that says the contrary of the argument."""

PROPERTIES = {
    "azurerm_storage_account": {
        "account_kind": "kind",
        "allow_nested_items_to_be_public": "properties.allowBlobPublicAccess",
        "cross_tenant_replication_enabled": "properties.allowCrossTenantReplication",
        "default_to_oauth_authentication": "properties.defaultToOAuthAuthentication",
        "https_traffic_only_enabled": "properties.supportsHttpsTrafficOnly",
        "local_user_enabled": "properties.isLocalUserEnabled",
        "min_tls_version": "properties.minimumTlsVersion",
        "network_rules.bypass": "properties.networkAcls.bypass",
        "network_rules.default_action": "properties.networkAcls.defaultAction",
        "shared_access_key_enabled": "properties.allowSharedKeyAccess",
    },
    "azurerm_key_vault": {
        "network_acls.bypass": "properties.networkAcls.bypass",
        "network_acls.default_action": "properties.networkAcls.defaultAction",
        "purge_protection_enabled": "properties.enablePurgeProtection",
        "rbac_authorization_enabled": "properties.enableRbacAuthorization",
        "sku_name": "properties.sku.name",
        "soft_delete_retention_days": "properties.softDeleteRetentionInDays",
    },
    "azurerm_service_plan": {"sku_name": "sku.name"},
    "azurerm_function_app_flex_consumption": {
        "https_only": "properties.httpsOnly",
        "identity.type": "identity.type",
        "instance_memory_in_mb": "properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB",
        "maximum_instance_count": "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount",
        "runtime_name": "properties.functionAppConfig.runtime.name",
        "runtime_version": "properties.functionAppConfig.runtime.version",
        "site_config.http2_enabled": "properties.siteConfig.http20Enabled",
        "site_config.ip_restriction_default_action": "properties.siteConfig.ipSecurityRestrictionsDefaultAction",
        "site_config.minimum_tls_version": "properties.siteConfig.minTlsVersion",
        "site_config.scm_ip_restriction_default_action": "properties.siteConfig.scmIpSecurityRestrictionsDefaultAction",
        "site_config.scm_minimum_tls_version": "properties.siteConfig.scmMinTlsVersion",
        "site_config.scm_use_main_ip_restriction": "properties.siteConfig.scmIpSecurityRestrictionsUseMain",
        "storage_authentication_type": "properties.functionAppConfig.deployment.storage.authentication.type",
        "storage_container_type": "properties.functionAppConfig.deployment.storage.type",
    },
    "azurerm_log_analytics_workspace": {
        "daily_quota_gb": "properties.workspaceCapping.dailyQuotaGb",
        "local_authentication_enabled": f"{NOT}properties.features.disableLocalAuth",
        "retention_in_days": "properties.retentionInDays",
        "sku": "properties.sku.name",
    },
    "azurerm_application_insights": {"local_authentication_enabled": f"{NOT}properties.DisableLocalAuth"},
    "azurerm_eventgrid_system_topic": {"identity.type": "identity.type", "topic_type": "properties.topicType"},
    "azurerm_eventgrid_system_topic_event_subscription": {
        "delivery_identity.type": "properties.deliveryWithResourceIdentity.identity.type",
        "event_delivery_schema": "properties.eventDeliverySchema",
        "included_event_types": "properties.filter.includedEventTypes",
        "retry_policy.event_time_to_live": "properties.retryPolicy.eventTimeToLiveInMinutes",
        "retry_policy.max_delivery_attempts": "properties.retryPolicy.maxDeliveryAttempts",
        "storage_queue_endpoint.queue_name": "properties.deliveryWithResourceIdentity.destination.properties.queueName",
    },
    "azurerm_monitor_metric_alert": {
        "criteria.aggregation": "properties.criteria.allOf.timeAggregation",
        "criteria.dimension.operator": "properties.criteria.allOf.dimensions.operator",
        "criteria.dimension.values": "properties.criteria.allOf.dimensions.values",
        "criteria.metric_name": "properties.criteria.allOf.metricName",
        "criteria.metric_namespace": "properties.criteria.allOf.metricNamespace",
        "criteria.operator": "properties.criteria.allOf.operator",
        "criteria.skip_metric_validation": "properties.criteria.allOf.skipMetricValidation",
        "criteria.threshold": "properties.criteria.allOf.threshold",
        "description": "properties.description",
        "frequency": "properties.evaluationFrequency",
        "severity": "properties.severity",
        "window_size": "properties.windowSize",
    },
    "azurerm_monitor_scheduled_query_rules_alert_v2": {
        "auto_mitigation_enabled": "properties.autoMitigate",
        "criteria.operator": "properties.criteria.allOf.operator",
        "criteria.threshold": "properties.criteria.allOf.threshold",
        "criteria.time_aggregation_method": "properties.criteria.allOf.timeAggregation",
        "evaluation_frequency": "properties.evaluationFrequency",
        "severity": "properties.severity",
        "skip_query_validation": "properties.skipQueryValidation",
        "window_duration": "properties.windowSize",
    },
    "azurerm_monitor_action_group": {
        "azure_function_receiver.function_name": "properties.azureFunctionReceivers.functionName",
        "azure_function_receiver.use_common_alert_schema": "properties.azureFunctionReceivers.useCommonAlertSchema",
        "webhook_receiver.use_common_alert_schema": "properties.webhookReceivers.useCommonAlertSchema",
    },
    "azurerm_network_security_group": {
        "security_rule.access": "properties.securityRules.properties.access",
        "security_rule.destination_port_range": "properties.securityRules.properties.destinationPortRange",
        "security_rule.priority": "properties.securityRules.properties.priority",
    },
    "azurerm_network_connection_monitor": {
        "test_configuration.test_frequency_in_seconds": "properties.testConfigurations.testFrequencySec",
    },
}
"""Arguments of azurerm and the properties that they are in Azure: who reaches what, with what, and for how long."""
