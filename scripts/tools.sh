#!/usr/bin/env bash
# Installs what the suites need, where it is missing and may be installed. What
# cannot be had is named; in CI (CI=true) that is a failure.
set -u
missing=()
have_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
have_mariadb() { command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; }
have_strace() { command -v strace >/dev/null 2>&1; }
have_node() { command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; }
have_fonts() { fc-list 2>/dev/null | grep -qi 'noto'; }

packages=()
have_postgres || packages+=(postgresql)
have_chromium || packages+=(chromium)
have_mariadb || packages+=(mariadb-server-core)
have_strace || packages+=(strace)
have_node || packages+=(nodejs npm)
have_fonts || packages+=(fonts-noto-core fontconfig)

if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1; then
  run=""
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then run="sudo -n"; else run="no"; fi
  fi
  if [ "$run" != no ]; then
    echo "installing: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    $run apt-get -o DPkg::Lock::Timeout=600 update -qq >/dev/null 2>&1
    $run apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
      for p in "${packages[@]}"; do $run apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$p" >/dev/null 2>&1; done
  fi
fi

have_postgres || missing+=("PostgreSQL (suites on PostgreSQL)")
have_chromium || missing+=("Chromium (browser journeys)")
have_mariadb || missing+=("MariaDB (a connector read from a real server)")
have_strace || missing+=("strace (trace of durable acknowledgements)")
have_node || missing+=("Node.js and npm (unmodified SDK)")
mkdir -p .cache
previous=$(scripts/previous.sh 2>&1) || echo "left out: $previous"
printf '%s\n' "${missing[@]:-}" | sed '/^$/d' >.cache/left-out
if [ -s .cache/left-out ]; then
  echo "left out on this machine, because it is missing and could not be installed:"
  sed 's/^/  /' .cache/left-out
  if [ "${CI:-}" = true ]; then exit 1; fi
fi
exit 0
