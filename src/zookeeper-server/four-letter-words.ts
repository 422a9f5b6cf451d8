/**
 * What operators ask with four letters: `echo ruok | nc HOST PORT`. The answers have the form of
 * ZooKeeper 3.8, so that its tools read them.
 */

export interface ServerFacts {
  readonly version: string;
  readonly address: string;
  readonly clients: readonly {
    readonly peer: string;
    readonly received: number;
    readonly sent: number;
    readonly outstanding: number;
  }[];
  readonly latencyMs: { readonly min: number; readonly mean: number; readonly max: number };
  readonly received: number;
  readonly sent: number;
  readonly outstanding: number;
  readonly zxid: number;
  readonly znodes: number;
  readonly ephemerals: number;
  readonly watches: number;
  readonly dataBytes: number;
  /** Sessions that watch znodes, by path. */
  readonly watchers: ReadonlyMap<string, readonly string[]>;
}

const WORDS: Readonly<Record<string, (facts: ServerFacts) => string>> = {
  ruok: () => 'imok',
  srvr: (facts) => head(facts),
  stat: (facts) => {
    const clients = facts.clients.map(({ peer, received, sent, outstanding }) => {
      return ` /${peer}[1](queued=${outstanding},recved=${received},sent=${sent})\n`;
    });
    const [first, ...rest] = head(facts).split('\n');
    return [first, 'Clients:', clients.join(''), ...rest].join('\n');
  },
  wchp: ({ watchers }) => {
    const shown = (session: string) => `\t0x${session.replace(/^0+/, '')}\n`;
    const paths = [...watchers].map(([path, sessions]) => [`${path}\n`, ...sessions.map(shown)]);
    return paths.flat().join('');
  },
  mntr: (facts) => {
    const rows = {
      version: facts.version,
      server_state: 'standalone',
      min_latency: facts.latencyMs.min,
      avg_latency: facts.latencyMs.mean,
      max_latency: facts.latencyMs.max,
      packets_received: facts.received,
      packets_sent: facts.sent,
      num_alive_connections: facts.clients.length,
      outstanding_requests: facts.outstanding,
      znode_count: facts.znodes,
      watch_count: facts.watches,
      ephemerals_count: facts.ephemerals,
      approximate_data_size: facts.dataBytes,
    };
    return Object.entries(rows)
      .map(([name, value]) => `zk_${name}\t${value}\n`)
      .join('');
  },
};

/** The answer to a word; of one that is not known, what ZooKeeper says. */
export function answerWord(word: string, facts: () => ServerFacts): string {
  const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (known !== undefined) return known(facts());
  return `${word} is not executed because it is not in the whitelist.\n`;
}

function head(facts: ServerFacts): string {
  const { min, mean, max } = facts.latencyMs;
  return [
    `Zookeeper version: ${facts.version}`,
    `Latency min/avg/max: ${min}/${mean}/${max}`,
    `Received: ${facts.received}`,
    `Sent: ${facts.sent}`,
    `Connections: ${facts.clients.length}`,
    `Outstanding: ${facts.outstanding}`,
    `Zxid: 0x${facts.zxid.toString(16)}`,
    'Mode: standalone',
    `Node count: ${facts.znodes}`,
    '',
  ].join('\n');
}
