#!/bin/sh
# Makes debian:bookworm-slim in local container storage from the mirror that this machine's apt
# uses, so that the Dockerfile can be built unchanged where no image registry is within reach.
#   base_image.sh ARCHIVE TAG
set -eu
archive=$1
tag=$2

if [ ! -s "$archive" ]; then
    # Our own list, not the machine's: other lists in sources.list.d are none of the image's.
    work=$(mktemp -d)
    trap 'rm -rf "$work" "$archive.part"' EXIT
    if [ -s /etc/apt/sources.list.d/debian.sources ]; then
        sources=$work/debian.sources
        cat /etc/apt/sources.list.d/debian.sources >"$sources"
    else
        sources=$work/debian.list
        grep -E '^deb .*bookworm' /etc/apt/sources.list >"$sources"
    fi
    hooks=/usr/share/mmdebstrap/hooks
    # usrmerge would drag perl in; its place is taken by the hook and usr-is-merged.
    # shellcheck disable=SC2016
    mmdebstrap --quiet --mode=root --variant=apt --format=tar \
        --hook-dir="$hooks/merged-usr" --include=usr-is-merged,ca-certificates \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
        --setup-hook='mkdir -p "$1/etc/apt/preferences.d"' \
        --setup-hook='printf "Package: usrmerge\nPin: release *\nPin-Priority: -1\n" \
            >"$1/etc/apt/preferences.d/no-usrmerge"' \
        --customize-hook='printf "%s\n" \
            "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb || true\"; };" \
            "Dir::Cache::pkgcache \"\"; Dir::Cache::srcpkgcache \"\";" \
            >"$1/etc/apt/apt.conf.d/docker-clean"' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/log/* \
            "$1"/var/cache/apt/*.bin' \
        bookworm "$archive.part" "$sources"
    mv "$archive.part" "$archive"
fi

podman import --quiet --change 'CMD ["bash"]' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$archive" "$tag"
