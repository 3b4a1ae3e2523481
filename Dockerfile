# The images of qoa; `make image` builds both. docs/deployment.md says how to run
# them. Tags say which version; who pins by content gives a digest as well:
#   make image IMAGE_FLAGS='--build-arg GO_IMAGE=golang:1.26.8-bookworm@sha256:…'
ARG GO_IMAGE=golang:1.26.8-bookworm
ARG POSTGRES_IMAGE=postgres:16-bookworm

FROM ${GO_IMAGE} AS build
# The toolchain of this image, and none that a go.mod would fetch.
ENV GOTOOLCHAIN=local
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
# Every file has the commit's time, so that the same commit makes the same layer.
ARG SOURCE_DATE_EPOCH=0
RUN make build VERSION="$VERSION" COMMIT="$COMMIT" \
 && install -D bin/qoa /image/qoa \
 && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && find /image -exec touch --date="@$SOURCE_DATE_EPOCH" {} +

# For commands that need Postgres's own tools: backup and restore.
FROM ${POSTGRES_IMAGE} AS tools
COPY --from=build /image/qoa /usr/local/bin/qoa
USER 65532:65532
ENTRYPOINT ["qoa"]
CMD ["help"]

# One static file (it brings its time zones along) and whom it trusts.
FROM scratch AS qoa
ARG VERSION=dev
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="qoa" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /image/ /
# Whatever its roles, a container says there how it is.
ENV HEALTH_PORT=3001
USER 65532:65532
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/qoa", "health", "live"]
ENTRYPOINT ["/qoa"]
CMD ["serve"]
