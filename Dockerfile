# One image for every role: `docker run IMAGE router …`, `docker run IMAGE storage …`.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The native part of `level` comes prebuilt in its package: no install script has to run.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY .tools/tsconfig.build.json .tools/
COPY src src
RUN node node_modules/typescript/bin/tsc -p .tools/tsconfig.build.json \
 && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY proto proto
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# A new volume takes over the owner of the folder it is mounted on.
RUN chmod +x dist/cli/main.js \
 && ln -s /app/dist/cli/main.js /usr/local/bin/portolan \
 && install -d -o node -g node -m 700 /var/lib/portolan
USER node
ENTRYPOINT ["portolan"]
CMD ["--help"]
