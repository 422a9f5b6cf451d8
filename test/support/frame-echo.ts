/**
 * A process that sends back every replication frame, until it is killed. It says on stdout where it
 * listens.
 */
import { Health } from '../../src/grpc/health.js';
import { startGrpcServer } from '../../src/grpc/server.js';
import { formatAddress } from '../../src/model/address.js';

const server = await startGrpcServer({
  listen: { host: '127.0.0.1', port: 0 },
  health: new Health(),
  failed: (error) => {
    throw error;
  },
  replicate: (outgoing) => ({
    message: (frame) => void outgoing.write(frame),
    drain: () => undefined,
    closed: () => undefined,
  }),
});
process.stdout.write(`${formatAddress(server.address)}\n`);
