# shellcheck shell=bash
# Sourced by .ci/run: makes sure that a Docker engine answers and exports DOCKER_HOST.
#
# An engine that already answers is used as it is. Otherwise Debian's docker.io is installed when missing and a private
# daemon is started. It gets no bridge and no iptables rules: sandboxes have no network, so nothing here needs either,
# and hosts without netfilter modules work. `setsid` keeps it alive when the process group of a job ends.
#
# A daemon started here knows crun and gVisor beside runc. An engine found running keeps the runtimes it has.

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

# Runtimes are a choice, not a need: without them runc serves, and the doctor says what is missing. So a failure here is
# told and not fatal.
collective_runtimes_install() {
  local missing=()
  command -v crun >/dev/null || missing+=(crun)
  command -v runsc >/dev/null || missing+=(runsc)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "runtimes not installed: ${missing[*]} (needs root on Debian)" >&2
    return 0
  fi
  { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
  } || echo "could not install ${missing[*]}; going on with the runtimes that are there" >&2
}

# Prints the path of crun to register. crun refuses every container where cgroup v1 is in use while some controller is
# still attached to the v2 tree beside it ("cgroups in hybrid mode not supported, drop all controllers from cgroupv2").
# Moving that controller would change the whole host. Instead crun gets a wrapper: in a mount namespace of its own, an
# empty folder lies over the v2 tree, so crun sees no v2 controller and works with v1, where all limits are. It is
# writable because crun makes its group's folder there too. `slave`: unmounts on the host still reach that namespace,
# and nothing done there reaches the host.
collective_crun_path() {
  local crun wrapper="$1/crun-hybrid" unified=/sys/fs/cgroup/unified
  crun=$(command -v crun)
  if [ -z "$(cat "$unified/cgroup.controllers" 2>/dev/null)" ]; then
    echo "$crun"
    return 0
  fi
  cat >"$wrapper" <<WRAPPER
#!/bin/sh
exec unshare --mount --propagation slave -- /bin/sh -c 'mount -t tmpfs -o size=64k,mode=0755 none $unified && exec $crun "\$@"' crun "\$@"
WRAPPER
  chmod 0755 "$wrapper"
  echo "$wrapper"
}

# Writes the daemon's configuration: only the runtimes; everything else is in flags. gVisor's arguments:
#   platform=ptrace  kvm hangs on some kernels and spins a core; systrap does not exist in Debian's build of 2022
#   network=none     no device at all, loopback only, whatever the engine asks for
#   host-uds=open    a program may connect to a unix socket of the host that is mounted, which is only the gateway's;
#                    gVisor refuses all by default. It may not create one (`create`, `all`)
#   oci-seccomp      our system call filter also holds inside gVisor; without it gVisor ignores the filter
collective_daemon_config() {
  local root="$1" config="$2" runtimes=()
  if command -v crun >/dev/null; then
    runtimes+=("\"crun\": {\"path\": \"$(collective_crun_path "$root")\"}")
  fi
  if command -v runsc >/dev/null; then
    runtimes+=("\"runsc\": {\"path\": \"$(command -v runsc)\", \"runtimeArgs\": [\"--platform=ptrace\", \"--network=none\", \"--host-uds=open\", \"--oci-seccomp\"]}")
  fi
  (IFS=,; echo "{\"runtimes\": {${runtimes[*]}}}") >"$config"
}

collective_docker_start() {
  local socket="$1" root="${COLLECTIVE_DOCKER_ROOT:-/var/lib/collective-docker}" log="/var/log/collective-docker.log" tries
  local config=/run/collective-docker.json
  mkdir -p "$root"
  collective_daemon_config "$root" "$config"
  # A pid file left by a killed daemon stops the next one once another process has that pid.
  rm -f /run/collective-docker.pid
  setsid dockerd -H "unix://$socket" --config-file "$config" --bridge=none --iptables=false --data-root "$root" \
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
  collective_runtimes_install
  collective_docker_start /run/collective-docker.sock || return 1
  export DOCKER_HOST=unix:///run/collective-docker.sock
}

collective_docker
