#!/usr/bin/env bash
# Installs what the tests need besides npm packages, where it is missing; only where CI=true, and as root.
# Tests whose service is still missing name it: skipped, or failed where CI=true.
set -euo pipefail

packages=()
need() { # command, Debian package, which tests need it
  command -v "$1" > /dev/null && return
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    packages+=("$2")
  else
    echo "$1 is missing; $3 need it" >&2
  fi
}

need redis-server redis-server "the tests of the sweeper's shared engine"
need chromium chromium "the tests with a browser"

if [ "${#packages[@]}" -gt 0 ]; then
  # no service is started: each test has a Redis of its own
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
fi
