output "role_names" {
  description = "The names of the roles that were made, by key: diagnose, remediate, guest."
  value       = { for key, role in azurerm_role_definition.this : key => role.name }
}
