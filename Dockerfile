# Two images from one file:
#   docker build -t fanfare .                   Debian slim, the default
#   docker build -t fanfare --target scratch .  nothing but the program and what it loads
# `--build-arg COMMIT=…` is what `fanfare version` says it was built from.
# Neither holds a configuration: mount one at /etc/fanfare/fanfare.yaml.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        g++ cmake ninja-build ccache mold \
        libboost1.81-dev libssl-dev zlib1g-dev libyaml-cpp-dev libspdlog-dev nlohmann-json3-dev \
        prometheus-cpp-dev libsimdjson-dev libsqlite3-dev libcli11-dev pkgconf libnats-dev \
        ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json LICENSE ./
COPY lib lib
COPY daemon daemon
ARG COMMIT=unknown
ENV CCACHE_DIR=/ccache
RUN --mount=type=cache,target=/ccache \
    cmake --preset release -DFANFARE_UNITY=ON -DFANFARE_BUILD_TESTS=OFF -DFANFARE_COMMIT="$COMMIT" \
    && cmake --build --preset release --target daemon/fanfare \
    && strip -o /usr/bin/fanfare build/release/daemon/fanfare
# What the scratch image holds: the program, its shared libraries, the CAs, and the names of users.
RUN mkdir -p /closure/etc/ssl/certs /closure/usr/lib/ssl /closure/usr/share/licenses/fanfare \
    && ldd /usr/bin/fanfare \
        | awk '$2 == "=>" { print $3 } $1 ~ "/ld-linux" { print $1 }' \
        | xargs cp --parents --dereference -t /closure \
    && cp --parents /usr/bin/fanfare /etc/ssl/certs/ca-certificates.crt /closure \
    && ln -s /etc/ssl/certs/ca-certificates.crt /closure/usr/lib/ssl/cert.pem \
    && cp LICENSE /closure/usr/share/licenses/fanfare/ \
    && echo 'hosts: files dns' > /closure/etc/nsswitch.conf \
    && echo 'fanfare:x:65532:65532:Fanfare:/nonexistent:/usr/sbin/nologin' > /closure/etc/passwd \
    && echo 'fanfare:x:65532:' > /closure/etc/group


FROM scratch AS scratch
LABEL org.opencontainers.image.title="fanfare" \
      org.opencontainers.image.description="Registry-style webhook notification daemon" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /closure /
USER 65532:65532
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/fanfare", "healthcheck"]
ENTRYPOINT ["/usr/bin/fanfare"]
CMD ["serve"]


FROM debian:bookworm-slim AS slim
LABEL org.opencontainers.image.title="fanfare" \
      org.opencontainers.image.description="Registry-style webhook notification daemon" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libfmt9 libnats3.4 libprometheus-cpp-core1.0 libsimdjson14 libspdlog1.10 libsqlite3-0 \
        libssl3 libstdc++6 libyaml-cpp0.7 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 fanfare \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin fanfare
COPY --from=build /usr/bin/fanfare /usr/bin/fanfare
COPY LICENSE /usr/share/licenses/fanfare/LICENSE
USER 65532:65532
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/fanfare", "healthcheck"]
ENTRYPOINT ["/usr/bin/fanfare"]
CMD ["serve"]
