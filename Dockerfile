# Both images of the project:
#
#   docker build --target operator .   the operator: Python, no compilers, uid 65532
#   docker build --target cni .        the CNI plugins and their installer: three static files, nothing else
#
# BASE needs Python 3.11 or newer with venv, GO_IMAGE needs Go in /usr/local/go. The testbed, which
# reaches no image registry, builds this same file on bases of its own.
ARG BASE=docker.io/library/python:3.11-slim-bookworm
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm

FROM ${GO_IMAGE} AS plugin
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    GOPATH=/go GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=0
WORKDIR /src/cni
COPY cni/go.mod cni/go.sum ./
RUN go mod download
COPY cni ./
RUN mkdir /out && go build -trimpath -ldflags '-s -w' -o /out/ ./cmd/...

FROM scratch AS cni
COPY --from=plugin /out/ /
ENTRYPOINT ["/coordinator-install"]

FROM ${BASE} AS packages
ARG UV_VERSION=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/spidercoordinator UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==${UV_VERSION}
WORKDIR /src
# uv checks the hashes of uv.lock.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --locked --no-dev --no-install-project

FROM packages AS project
COPY README.md LICENSE ./
COPY operator ./operator
RUN /opt/uv/bin/uv pip install --no-deps --python /opt/spidercoordinator --prefix /opt/project .

FROM ${BASE} AS operator
# Two layers: the large one of the dependencies is the same in most versions.
COPY --from=packages /opt/spidercoordinator /opt/spidercoordinator
COPY --from=project /opt/project /opt/spidercoordinator
ENV PATH=/opt/spidercoordinator/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["spidercoordinator"]
CMD ["run"]
