/**
 * Which ports the processes of a playground listen on: the same ones each time, so that what a
 * README or a shell's history says is true again, and any free ones for all if one of those is
 * taken. Two playgrounds that start at the same moment would both find them free, so one more port
 * is a claim on the rest, held as long as the playground lives.
 */
import { freePorts, holdPort, listenProblems } from '../system/free-port.js';

const HOST = '127.0.0.1';

export interface MemberPorts {
  /** HOST:PORT of gRPC. */
  readonly listen: string;
  /** HOST:PORT of admin HTTP. */
  readonly admin: string;
}

export interface PlaygroundPorts {
  readonly routers: readonly MemberPorts[];
  readonly storage: readonly MemberPorts[];
  /** Lets another playground have the usual ports. */
  release(): Promise<void>;
}

export interface UsualPorts {
  readonly claim: number;
  /** Of the first of each kind; the next one has the next port. */
  readonly router: { readonly listen: number; readonly admin: number };
  readonly storage: { readonly listen: number; readonly admin: number };
}

export const USUAL: UsualPorts = {
  claim: 7_079,
  router: { listen: 7_000, admin: 7_080 },
  storage: { listen: 7_100, admin: 7_180 },
};

/**
 * Others may take one between this look and the start: then its member ends, and says so.
 *
 * @param tell Hears why they are not the usual ones, if they are not.
 */
export async function choosePorts(
  counts: { readonly routers: number; readonly storage: number },
  tell: (why: string) => void,
  usual: UsualPorts = USUAL,
): Promise<PlaygroundPorts> {
  let taken: readonly number[] = [usual.claim];
  const release = await holdPort(usual.claim);
  if (release !== undefined) {
    const ports = portsFrom(usual, counts);
    // So many of one kind that they run into the next are found taken, too.
    const problems = await listenProblems(ports.map((port) => ({ host: HOST, port })));
    taken = ports.filter((_, index) => problems[index] !== undefined);
    if (taken.length === 0) return { ...inPairs(ports, counts), release };
    await release();
  }
  tell(`usual ports are taken (${brief(taken)}): using others`);
  const ports = await freePorts(2 * (counts.routers + counts.storage));
  return { ...inPairs(ports, counts), release: () => Promise.resolve() };
}

/** Who holds one of them is worth a look; a list of all is not worth reading. */
function brief([first, ...more]: readonly number[]): string {
  return `${HOST}:${first}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

/** For each member, routers first, its gRPC port and its admin port. */
function portsFrom(
  { router, storage }: UsualPorts,
  counts: { readonly routers: number; readonly storage: number },
): readonly number[] {
  const run = (count: number, first: UsualPorts['router']) =>
    Array.from({ length: count }, (_, n) => [first.listen + n, first.admin + n]).flat();
  return [...run(counts.routers, router), ...run(counts.storage, storage)];
}

function inPairs(
  ports: readonly number[],
  { routers }: { readonly routers: number },
): Pick<PlaygroundPorts, 'routers' | 'storage'> {
  const members: MemberPorts[] = [];
  for (let n = 0; n + 1 < ports.length; n += 2) {
    members.push({ listen: `${HOST}:${ports[n]}`, admin: `${HOST}:${ports[n + 1]}` });
  }
  return { routers: members.slice(0, routers), storage: members.slice(routers) };
}
