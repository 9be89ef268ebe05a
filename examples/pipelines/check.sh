#!/usr/bin/env bash
# What must hold before a configuration is deployed: check.sh CONFIG [DEPLOYED], where DEPLOYED is a folder with the
# templates that are deployed now (fetch_deployed.py writes it; leave it out before the first deployment).
set -euo pipefail

config=$1
deployed=${2:-}
out=${CDK_OUT:-cdk.out}

echo "check: $config is valid"
overread config check "$config"

echo "check: synthesis, with AwsSolutions and Overread's own rules"
OVERREAD_CONFIG=$config cdk synth --quiet --no-notices --output "$out"

echo "check: cfn-lint"
cfn-lint --ignore-checks W3005 -- "$out"/*.template.json # W3005: dependencies that the CDK writes twice

if [ -n "$deployed" ]; then
  echo "check: nothing that is kept would be destroyed"
  overread guard --old "$deployed" --new "$out"
else
  echo "check: LEFT OUT, nothing deployed was given: whether something that is kept would be destroyed"
fi

echo "check: $config can be deployed"
