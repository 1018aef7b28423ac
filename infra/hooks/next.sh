#!/bin/sh
# After the functions are deployed: what is there, how to ask it something, where answers go. next.ps1 says the same.
set -eu

# What azd found out: outputs of main.bicep.
app=${functionAppName:-?} group=${resourceGroupName:-?} account=${storageAccountName:-?}
actions=${actionGroupId:-?}
actions=${actions##*/}
# What azd was told.
findings=${VMREACH_FINDINGS_QUEUE:-findings} reports=${VMREACH_REPORTS_CONTAINER:-reports}
scopes=${VMREACH_SCOPES:-?} mode=${VMREACH_REMEDIATION_MODE:-dry-run}

cat <<END
vmreach is deployed: function app $app, resource group $group
  looks at       $scopes
  failed NICs    $mode
  findings       to queue $findings of storage account $account, and to Teams where a webhook was given
  audit reports  to container $reports of the same account

Ask it about a VM of yours; the finding is there within minutes. It takes the role Storage Queue Data Contributor on
that account:
  az storage message put --auth-mode login --account-name $account --queue-name diagnosis-requests --content '{"requestId": "first-1", "origin": {"kind": "queue"}, "source": {"name": "NAME-OF-A-VM"}}'
  az storage message peek --auth-mode login --account-name $account --queue-name $findings --num-messages 5

See that alerts arrive: in the portal, open action group $actions of $group, Test, a sample of any type. Its VM is none
of yours, so the log of the function alerts says "refused" or "ignored"; nothing else happens.

What else there is to set up and to watch: docs/deploy.md, docs/operations.md
END
