mock_provider "azurerm" {
  source = "../../tests/mocks"
}

variables {
  subscription_id       = "00000000-0000-0000-0000-000000000001"
  location              = "westeurope"
  action_group_id       = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-vmreach/providers/Microsoft.Insights/actionGroups/ag-vmreach"
  identity_id           = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-vmreach/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-vmreach"
  identity_principal_id = "00000000-0000-0000-0000-00000000000d"
  storage_account_id    = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-vmreach/providers/Microsoft.Storage/storageAccounts/stvmreach"
}

run "apply" {
  command = apply

  assert {
    condition     = contains(module.watch.alert_rules, "vmreach-nic-write-failed") && contains(module.watch.alert_rules, "vmreach-vm-availability-westeurope")
    error_message = "The subscription must be watched."
  }

  assert {
    condition     = module.roles.role_names == { diagnose = "vmreach diagnose (vmreach, 00000000)" }
    error_message = "The app must be able to look into the subscription."
  }
}
