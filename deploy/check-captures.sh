#!/usr/bin/env bash
# Looks at captures, writes the HTML report, and fails where one shows what FAIL_ON names.
#
#   CAPTURES="artifacts/*.pcap" FAIL_ON=half_closed HTML=keepalive.html deploy/check-captures.sh
#
# For any CI; action.yml runs it too, where the report's text goes into the job's summary. It ends with keepalive's
# status: 0, 1 where FAIL_ON was met, 2 where a capture could not be read.
set -uf
: "${CAPTURES:?names no capture}" "${FAIL_ON:=half_closed,reset_on_probe,timed_out,silent}" "${HTML:=keepalive.html}"
keepalive=${KEEPALIVE:-keepalive}

# Names are split at white space and expanded, and nothing else of them means anything to a shell.
set +f
shopt -s nullglob
# shellcheck disable=SC2206
captures=($CAPTURES)
if [ ${#captures[@]} = 0 ]; then
  echo "keepalive: nothing is named $CAPTURES" >&2
  exit 2
fi

$keepalive report --color never --html "$HTML" --force --fail-on "$FAIL_ON" -- "${captures[@]}"
status=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  {
    echo '```text'
    $keepalive report --quiet --color never -- "${captures[@]}" 2>/dev/null
    echo '```'
  } >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${GITHUB_OUTPUT:-}" ] && [ -f "$HTML" ]; then
  echo "html=$HTML" >>"$GITHUB_OUTPUT"
fi
exit $status
