/**
 * Server reflection: what services and messages a process has, told to those who ask on the wire.
 *
 * The index of all messages is made when somebody asks for the first time: it takes a tenth of a
 * second, once, that a start under load does not have.
 */
import * as grpc from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { PACKAGE } from './definitions.js';
import type { ReportFailure } from './streams.js';

type Definition = grpc.MethodDefinition<unknown, unknown>;
type Call = grpc.ServerDuplexStream<unknown, unknown>;

interface Method {
  readonly definition: Definition;
  readonly handle: (call: Call) => void;
}

const METHOD = 'ServerReflectionInfo';
const SERVICES = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

/**
 * @param services Full names of those to be listed.
 * @param failed Hears why there is no reflection, at each call.
 */
export function addReflection(
  server: grpc.Server,
  services: readonly string[],
  failed: ReportFailure,
): void {
  let methods: ReadonlyMap<string, Method> | undefined;
  for (const service of SERVICES) {
    const path = `/${service}/${METHOD}`;
    const method = (): Method => {
      methods ??= methodsOf(services);
      const found = methods.get(path);
      if (found === undefined) throw new Error(`@grpc/reflection has no ${path}`);
      return found;
    };
    const definition: Definition = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message) => method().definition.requestSerialize(message),
      requestDeserialize: (bytes) => method().definition.requestDeserialize(bytes),
      responseSerialize: (message) => method().definition.responseSerialize(message),
      responseDeserialize: (bytes) => method().definition.responseDeserialize(bytes),
    };
    const handling = (call: Call): void => {
      try {
        method().handle(call);
      } catch (error) {
        failed(error);
        const details = 'this process cannot tell what it offers: its log says why';
        call.emit('error', { code: grpc.status.UNAVAILABLE, details });
      }
    };
    server.addService({ [METHOD]: definition }, { [METHOD]: handling });
  }
}

/** What the library would add to a server, by path. */
function methodsOf(services: readonly string[]): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  const recorder: Pick<grpc.Server, 'addService'> = {
    addService: (definitions, implementation) => {
      for (const [name, definition] of Object.entries(definitions)) {
        const handle = implementation[name] as Method['handle'];
        methods.set(definition.path, { definition: definition as Definition, handle });
      }
    },
  };
  new ReflectionService(PACKAGE, { services: [...services] }).addToServer(recorder);
  return methods;
}
