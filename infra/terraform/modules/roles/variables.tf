variable "name" {
  description = "The name of the deployment; it is part of the roles' names, which are unique in a tenant."
  type        = string
  nullable    = false
}

variable "principal_id" {
  description = "The object id of the app's identity."
  type        = string
  nullable    = false
}

variable "role_scope" {
  description = "Where the roles are defined and assigned: a subscription's or a management group's id. Empty: the provider's subscription."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.role_scope == "" || can(regex("^(/subscriptions/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|/providers/Microsoft\\.Management/managementGroups/[^/\\s]{1,90})$", var.role_scope))
    error_message = "role_scope: must be /subscriptions/{id} or /providers/Microsoft.Management/managementGroups/{name}."
  }
}

variable "diagnose" {
  description = "Whether to define and assign the role that reads and asks Network Watcher."
  type        = bool
  default     = false
  nullable    = false
}

variable "remediate" {
  description = "Whether to define and assign the role that writes failed NICs back."
  type        = bool
  default     = false
  nullable    = false
}

variable "guest" {
  description = "Whether to define and assign the role that runs scripts in guests."
  type        = bool
  default     = false
  nullable    = false
}
