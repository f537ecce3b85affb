# shellcheck shell=bash
# What deploy/quickstart and tests/run share: saying what happens, and installing what is missing.
# shellcheck disable=SC2034
# Sourced, never run. Works on a bare Debian 12, from a fresh clone, as root (or with sudo).

# What it takes to build; the same list stands in the Dockerfile (a test compares them).
build_packages=(
    g++ cmake ninja-build ccache mold
    libboost1.81-dev libssl-dev zlib1g-dev libyaml-cpp-dev libspdlog-dev nlohmann-json3-dev
    prometheus-cpp-dev libsimdjson-dev libsqlite3-dev libcli11-dev pkgconf libnats-dev
)
unit_test_packages=(libgtest-dev libgmock-dev)

if [ -t 1 ]; then
    bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' red='' plain=''
fi

say() { printf '%s\n' "${bold}==> $*${plain}"; }
note() { printf '    %s\n' "$*"; }
warn() { printf '%s\n' "${red}!!! $*${plain}" >&2; }
fail() {
    warn "$*"
    exit 1
}

# Prints those of the given packages that are not installed.
missing_packages() {
    local name
    for name in "$@"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" != installed ]; then
            printf '%s\n' "$name"
        fi
    done
}

# Runs a command as root: as it is, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        warn "packages are missing, and this is neither root nor is there sudo"
        note "run as root: apt-get install --no-install-recommends ${*: -1}"
        return 1
    fi
}

# Shows the end of a log, indented, to explain a failure.
show_log() {
    tail -n "${2:-20}" "$1" | sed 's/^/    | /' >&2
}

apt_install() {
    # Some of these packages start a daemon when they are installed; a policy keeps them quiet.
    local policy=/usr/sbin/policy-rc.d has_policy=yes status=0
    if [ ! -e "$policy" ]; then
        has_policy=no
        # shellcheck disable=SC2016
        as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' - "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null || status=$?
    if [ "$has_policy" = no ]; then as_root rm -f "$policy"; fi
    return "$status"
}

# install_packages NAME...: installs what is missing, and asks the mirror for news only if it must.
# Quiet unless it fails.
install_packages() {
    local missing log
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "this needs Debian 12 (no apt-get here): ${missing[*]}"
    note "installing ${#missing[@]} Debian packages: ${missing[*]}"
    log=$(mktemp)
    if apt-cache show "${missing[@]}" >/dev/null 2>&1 && apt_install "${missing[@]}" >"$log" 2>&1
    then
        rm -f "$log"
        return 0
    fi
    note "refreshing the package lists first"
    if as_root apt-get update -q -o DPkg::Lock::Timeout=300 </dev/null >"$log" 2>&1 &&
        apt_install "${missing[@]}" >"$log" 2>&1
    then
        rm -f "$log"
        return 0
    fi
    warn "could not install: ${missing[*]}; apt-get said:"
    show_log "$log"
    rm -f "$log"
    return 1
}

# How many compilers may run side by side: one per CPU, and 1.5 GiB of memory for each.
build_jobs() {
    local cpus memory_kib jobs
    cpus=$(nproc)
    memory_kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
    jobs=$((memory_kib / (1536 * 1024)))
    if [ "$jobs" -gt "$cpus" ]; then jobs=$cpus; fi
    if [ "$jobs" -lt 1 ]; then jobs=1; fi
    echo "$jobs"
}

# build PRESET [TARGET...]: configures and builds; prints what the tools said only if they failed,
# and a line now and then so that nobody thinks it hangs.
build() {
    local preset=$1 log
    shift
    log=$(mktemp)
    if ! cmake --preset "$preset" -DFANFARE_BUILD_TESTS=ON </dev/null >"$log" 2>&1; then
        warn "cmake --preset $preset failed:"
        show_log "$log" 40
        rm -f "$log"
        return 1
    fi
    if ! NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" --parallel "$(build_jobs)" \
        ${1:+--target "$@"} </dev/null 2>&1 | tee "$log" | show_progress
    then
        warn "building $preset failed:"
        show_log "$log" 60
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# Lets one of ninja's lines through every 20 seconds.
show_progress() {
    local line next=$((SECONDS + 20))
    while IFS= read -r line; do
        if [ "$SECONDS" -ge "$next" ]; then
            note "$line"
            next=$((SECONDS + 20))
        fi
    done
}
