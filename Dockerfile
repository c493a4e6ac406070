# syntax=docker/dockerfile:1
# The gateway in a container: no root, nothing written outside of /data and /tmp. docs/guides/service.md says how to run it.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /source
COPY . .
RUN npm ci --no-audit --no-fund \
  && node scripts/package.ts /package

FROM node:24.21.0-bookworm-slim
# tini is the init: a Node process as PID 1 cannot reap what its tools leave behind. git is used by agents' workspaces.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node -m 0700 /data
COPY --from=build /package /package
RUN npm install -g --no-audit --no-fund /package/*.tgz \
  && npm cache clean --force
ENV NODE_ENV=production \
  HOME=/data \
  OPENCLAW_STATE_DIR=/data/.openclaw \
  TMPDIR=/tmp
USER node
WORKDIR /data
VOLUME /data
EXPOSE 18789
STOPSIGNAL SIGTERM
# Liveness only: a channel that is offline is no reason to kill the gateway.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:18789/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "openclaw"]
CMD ["gateway", "run", "--bind", "lan", "--allow-unconfigured"]
