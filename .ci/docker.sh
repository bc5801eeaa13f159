# shellcheck shell=bash
# Sourced by .ci/run: makes sure that a Docker engine answers and exports DOCKER_HOST.
#
# An engine that already answers is used as it is. Otherwise Debian's docker.io is installed when missing and a private
# daemon is started. It gets no bridge and no iptables rules: sandboxes have no network, so nothing here needs either,
# and hosts without netfilter modules work. `setsid` keeps it alive when the process group of a job ends.

collective_docker_ping() {
  curl -sf --max-time 2 --unix-socket "${1#unix://}" http://engine/_ping 2>/dev/null | grep -q OK
}

collective_docker_install() {
  command -v dockerd >/dev/null && command -v curl >/dev/null && return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "no Docker engine answers; installing one needs root on Debian or Ubuntu" >&2
    return 1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq install -y --no-install-recommends docker.io curl ca-certificates
}

collective_docker_start() {
  local socket="$1" root="${COLLECTIVE_DOCKER_ROOT:-/var/lib/collective-docker}" log="/var/log/collective-docker.log" tries
  # A pid file left by a killed daemon stops the next one once another process has that pid.
  rm -f /run/collective-docker.pid
  setsid dockerd -H "unix://$socket" --bridge=none --iptables=false --data-root "$root" \
    --exec-root /run/collective-docker --pidfile /run/collective-docker.pid >"$log" 2>&1 </dev/null &
  collective_docker_started=1
  for tries in $(seq 300); do
    collective_docker_ping "$socket" && return 0
    sleep 0.1
  done
  echo "dockerd did not answer within 30 seconds (${tries} tries); the end of $log:" >&2
  tail -50 "$log" >&2
  return 1
}

collective_docker() {
  local candidate
  for candidate in "${DOCKER_HOST:-}" unix:///run/collective-docker.sock unix:///var/run/docker.sock; do
    case "$candidate" in
      unix://*)
        if command -v curl >/dev/null && collective_docker_ping "$candidate"; then
          export DOCKER_HOST="$candidate"
          return 0
        fi
        ;;
    esac
  done
  collective_docker_install || return 1
  collective_docker_start /run/collective-docker.sock || return 1
  export DOCKER_HOST=unix:///run/collective-docker.sock
}

collective_docker
