import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';

/** A server on this machine that ends with its scope, whatever its connections do. */
export interface Loopback extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
}

/** May answer later. A handler that rejects leaves the caller without an answer. */
export type Handler = (...args: Parameters<RequestListener>) => unknown;

export const serve = (handler: Handler): Promise<Loopback> =>
  listening(
    createServer((...args) => void handler(...args)),
    'http',
  );

export const serveTls = (options: ServerOptions, handler: RequestListener): Promise<Loopback> =>
  listening(createTlsServer(options, handler), 'https');

/** Whatever a connection is to be told or not told, below HTTP. */
export function serveTcp(handler: (socket: Socket) => void): Promise<Loopback> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    handler(socket);
  });
  const closeAllConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return listening(Object.assign(server, { closeAllConnections }), 'tcp');
}

async function listening(server: TcpServer & Pick<Server, 'closeAllConnections'>, scheme: string): Promise<Loopback> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
