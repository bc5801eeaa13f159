# Server and worker of docker-compose.yml. Source runs directly; only the pages are built.
FROM node:24-bookworm-slim AS pages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node cli/main.ts pages build

FROM node:24-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY . .
COPY --from=pages /app/web/dist web/dist
ENV NODE_ENV=production COLLECTIVE_HOME=/var/lib/collective
CMD ["node", "cli/main.ts", "--help"]
