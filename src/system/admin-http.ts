/**
 * The admin port: health for orchestrators, status and metrics for people and their tools. Plain
 * HTTP, read only, small answers. It belongs on a private network.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { type Address, formatAddress } from '../model/address.js';

export interface AdminPages {
  /** Why the process cannot serve; empty = ready. */
  readonly notReady: () => readonly string[];
  readonly status: () => unknown;
  /** Prometheus text format. */
  readonly metrics: () => Promise<string>;
}

export interface AdminServer {
  /** Base URL. */
  readonly url: string;
  close(): Promise<void>;
}

interface Page {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

const REQUEST_MS = 10_000;
const CONNECTIONS_MAX = 100;

/** @throws Error for the operator if the address cannot be listened on. */
export async function startAdminServer(listen: Address, pages: AdminPages): Promise<AdminServer> {
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    void serve(request, pages)
      .catch((error: unknown): Page => text(500, error instanceof Error ? error.message : 'error'))
      .then((page) => send(request, response, page));
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listening(server, listen);
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : listen.port;
  return {
    url: `http://${formatAddress({ host: dialable(listen.host), port })}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listening everywhere is no address; the name of the host is one. */
function dialable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host;
}

async function serve(request: IncomingMessage, pages: AdminPages): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'only GET and HEAD');
  }
  switch (pathOf(request.url ?? '')) {
    case '/livez':
      return text(200, 'ok');
    case '/readyz': {
      const problems = pages.notReady();
      return problems.length === 0 ? text(200, 'ok') : text(503, problems.join('\n'));
    }
    case '/status':
      return json(await pages.status());
    case '/metrics':
      return { code: 200, type: 'text/plain; version=0.0.4', body: await pages.metrics() };
    default:
      return text(404, 'pages: /livez /readyz /status /metrics');
  }
}

/** Empty if it is none. Only the path counts: whom the request says it is for does not. */
function pathOf(target: string): string {
  return /^(?:http:\/\/[^/?#]*)?(?<path>\/[^?#]*)/i.exec(target)?.groups?.['path'] ?? '';
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { code, type, body }: Page,
): void {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function text(code: number, body: string): Page {
  return { code, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function json(value: unknown): Page {
  return { code: 200, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

function listening(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const where = formatAddress({ host, port });
      reject(new Error(`cannot listen on ${where} for admin HTTP: ${error.message}`));
    });
    server.listen(port, host, resolve);
  });
}
