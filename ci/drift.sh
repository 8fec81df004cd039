#!/bin/sh
# What somebody changed by hand: drift.sh STACK. Ends with 1 where something was, 2 where the cluster gave no answer.
set -eu
mkdir -p reports
status=0
python3 -m ops drift --stack "$1" --json >reports/drift.json || status=$?
cat reports/drift.json
exit $status
