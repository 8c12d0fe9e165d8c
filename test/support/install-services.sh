#!/usr/bin/env bash
# Installs what the tests need besides npm packages, where it is missing; only where CI=true, and as root.
# Tests whose service is still missing name it: skipped, or failed where CI=true.
set -euo pipefail

if ! command -v redis-server > /dev/null; then
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    # no service is started: each test has a Redis of its own
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server > /dev/null
  else
    echo "redis-server is missing; the tests of the sweeper's shared engine need it" >&2
  fi
fi
