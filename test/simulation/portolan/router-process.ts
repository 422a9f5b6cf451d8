/** A router in a simulated process: the real role over simulated ports. */
import { assert } from '../../../src/model/assert.js';
import type { MemberId } from '../../../src/model/ids.js';
import type { RouterConfig } from '../../../src/router/config.js';
import { startRouter, type RouterView } from '../../../src/router/role.js';
import { kvService } from './kv-stream.js';
import {
  addressOf,
  commonConfig,
  listenerOf,
  type MemberOutside,
  type StartedRole,
} from './member-process.js';
import { livenessHandler } from './sim-dialer.js';

export interface RouterOutside extends MemberOutside {
  readonly create: RouterConfig['create'];
}

/** Resolves when the router listens. */
export async function startRouterIn(outside: RouterOutside): Promise<StartedRole<RouterView>> {
  const { process, network, create, failed } = outside;
  let view: RouterView | undefined;
  const health = {
    ready: false,
    setReady: (ready: boolean) => {
      health.ready = ready;
    },
  };
  const role = await startRouter(
    {
      ...commonConfig(process.name, outside.sessionTimeoutMs),
      id: process.name as MemberId,
      admin: { host: process.name, port: 0 },
      create,
    },
    {
      ...outside,
      clock: process.clock,
      defer: (task) => process.soon(task),
      health,
      listen: ({ kv, follow }) => {
        network.listen(process, addressOf(process.name), {
          kv: kvService(kv, failed),
          follow,
          liveness: livenessHandler,
        });
        return Promise.resolve(listenerOf(outside));
      },
      admin: (given) => {
        view = given;
        return Promise.resolve({ url: '', close: () => Promise.resolve() });
      },
    },
  );
  assert(view !== undefined, 'a role shows itself before it runs');
  return { role, view };
}
