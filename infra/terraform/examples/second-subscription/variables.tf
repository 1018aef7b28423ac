variable "subscription_id" {
  description = "The further subscription."
  type        = string
  nullable    = false
}

variable "cloud" {
  description = "The Azure cloud: public, usgovernment or china."
  type        = string
  default     = "public"
  nullable    = false
}

variable "name" {
  description = "The name of the deployment."
  type        = string
  default     = "vmreach"
  nullable    = false
}

variable "location" {
  description = "The region of the resource group, whose VMs are watched."
  type        = string
  nullable    = false
}

# Outputs of the deployment, under the same names.

variable "action_group_id" {
  description = "The action group that calls vmreach."
  type        = string
  nullable    = false
}

variable "operators_action_group_id" {
  description = "The action group of the operators. Empty: none."
  type        = string
  default     = ""
  nullable    = false
}

variable "identity_id" {
  description = "The app's identity."
  type        = string
  nullable    = false
}

variable "identity_principal_id" {
  description = "The app's identity, as role assignments name it."
  type        = string
  nullable    = false
}

variable "storage_account_id" {
  description = "The app's storage account."
  type        = string
  nullable    = false
}

variable "workspace_id" {
  description = "The Log Analytics workspace, for results of connection tests. Empty: none."
  type        = string
  default     = ""
  nullable    = false
}
