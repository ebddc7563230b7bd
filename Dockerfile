# lunet in a container: docker build -t lunet . && docker run --rm -v "$PWD:/work" lunet train
# The first stage compiles the engine, for the processor family of the machine; the second needs no compiler.
FROM node:20-bookworm AS build
WORKDIR /lunet
COPY . .
RUN npm ci && npm prune --omit=dev

FROM node:20-bookworm-slim
COPY --from=build /lunet /lunet
WORKDIR /work
ENTRYPOINT ["node", "/lunet/bin/lunet.js"]
