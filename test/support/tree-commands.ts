/** Random requests to a znode tree, small enough that they meet. */
import fc from 'fast-check';
import type { CreateMode, Request, Step } from '../../src/znode-tree/requests.js';

const names = ['/a', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a', '/a/n-0000000000', '/a/n-0000000001'];
const paths = fc.constantFrom('/', '/zookeeper', ...names);
/** Few: reads of one znode by several watchers should meet. */
export const readPaths = fc.constantFrom('/', '/a', '/b', '/a/a');
const versions = fc.constantFrom(-1, -1, 0, 0, 1, 2);
const data = fc.constantFrom('', 'x', 'hello').map((text) => Buffer.from(text));
const modes = fc.constantFrom<CreateMode>(
  ...(['persistent', 'persistent', 'ephemeral'] as const),
  ...(['persistent-sequential', 'ephemeral-sequential'] as const),
);

export const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('create' as const),
      path: fc.constantFrom(...names, '/', '/a/', '/a/n-', '/b/n-'),
      data,
      mode: modes,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('delete' as const), path: paths, version: versions }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('set-data' as const),
      path: paths,
      data,
      version: versions,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('check' as const), path: paths, version: versions }),
  },
);

export const requests: fc.Arbitrary<Request> = fc.oneof(
  { weight: 6, arbitrary: steps },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('multi' as const),
      steps: fc.array(steps, { maxLength: 5 }),
    }),
  },
);
