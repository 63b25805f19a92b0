# Both images of the project:
#
#   docker build --target operator .   the operator: Python and its packages, no shell, uid 65532
#   docker build --target cni .        the CNI plugins and their installer: three static files, nothing else
#
# BASE needs Python 3.11 or newer with venv, GO_IMAGE needs Go in /usr/local/go. The testbed, which
# reaches no image registry, builds this same file on bases of its own.
#
# Here, and nowhere else, it is said which bases a release is built on, by the digests of their
# indices of platforms; `python -m tools.release` refuses one without. To renew one:
#   docker buildx imagetools inspect docker.io/library/python:3.11-slim-bookworm
#
# No step runs a program of the target's platform, so any platform builds for any other without
# emulation. Two builds of one commit give the same layers, with SOURCE_DATE_EPOCH as in
# .github/workflows/release.yaml.
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS plugin
ARG TARGETARCH
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    GOPATH=/go GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=0
WORKDIR /src/cni
COPY cni/go.mod cni/go.sum ./
RUN go mod download
COPY cni ./
RUN mkdir /out && GOARCH=$TARGETARCH go build -trimpath -ldflags '-s -w' -o /out/ ./cmd/...

FROM scratch AS cni
LABEL org.opencontainers.image.source=https://github.com/spidercoordinator/spidercoordinator \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.title="CNI plugins coordinator and ifacer, and their installer"
COPY --from=plugin /out/ /
ENTRYPOINT ["/coordinator-install"]

FROM --platform=$BUILDPLATFORM ${BASE} AS packages
ARG TARGETARCH
ARG UV_VERSION=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/spidercoordinator UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
    UV_NO_CACHE=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==${UV_VERSION}
WORKDIR /src
# uv checks the hashes of uv.lock.
COPY pyproject.toml uv.lock ./
COPY tools/image ./tools/image
RUN UV_PROJECT_ENVIRONMENT=/opt/tools /opt/uv/bin/uv sync --locked --only-group image
RUN case $TARGETARCH in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; \
        *) echo "TARGETARCH is '$TARGETARCH': has to be amd64 or arm64" >&2; exit 1 ;; esac \
    && /opt/uv/bin/uv sync --locked --no-dev --no-install-project --no-build \
        --python-platform $machine-manylinux_2_28 \
    && /opt/tools/bin/python -m tools.image.packages /opt/spidercoordinator /opt/spidercoordinator

FROM packages AS project
COPY README.md LICENSE ./
COPY operator ./operator
# As a wheel: of a folder, uv would note down when and where it was installed from.
RUN /opt/uv/bin/uv build --wheel --out-dir /opt/wheel . \
    && /opt/uv/bin/uv pip install --no-deps --python /opt/spidercoordinator --prefix /opt/project /opt/wheel/*.whl \
    && /opt/tools/bin/python -m tools.image.packages /opt/project /opt/spidercoordinator

# What of the base Python needs to run, for the target's platform.
FROM ${BASE} AS base
FROM packages AS runtime
COPY --from=base / /base
RUN /opt/tools/bin/python -m tools.image.runtime /base /opt/spidercoordinator /runtime

FROM scratch AS operator
LABEL org.opencontainers.image.source=https://github.com/spidercoordinator/spidercoordinator \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.title="Operator of SpiderCoordinator and SpiderMultusConfig"
# Three layers, the one that changes least first.
COPY --from=runtime /runtime /
COPY --from=packages /opt/spidercoordinator /opt/spidercoordinator
COPY --from=project /opt/project /opt/spidercoordinator
ENV PATH=/opt/spidercoordinator/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["spidercoordinator"]
CMD ["run"]
