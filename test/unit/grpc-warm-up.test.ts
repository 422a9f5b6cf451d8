/** What makes the codecs before they are needed holds one of everything. */
import { describe, expect, it } from 'vitest';
import { MEMBER } from '../../src/grpc/definitions.js';
import { sampleOf, warmUp } from '../../src/grpc/warm-up.js';

const { requestType, responseType, requestDeserialize, responseDeserialize } = MEMBER.Follow;

/** Names of the message fields that are not there. */
function missing(type: { readonly type: object }, decoded: object): string[] {
  const { field } = type.type as { field: { name: string; type: string }[] };
  return field
    .filter((each) => each.type === 'TYPE_MESSAGE')
    .map(({ name }) => name)
    .filter((name) => (decoded as Record<string, object | null>)[name] === null);
}

describe('the sample of a message', () => {
  it('has one of every kind that it may hold, and these have, too', () => {
    const asked = requestDeserialize(sampleOf(requestType.type as never));
    const told = responseDeserialize(sampleOf(responseType.type as never));
    expect([missing(requestType, asked), missing(responseType, told)]).toEqual([[], []]);
    expect(asked.map).toMatchObject({ shards: [{}], nodes: { nodes: [{}] } });
    expect(told.request).toMatchObject({ shrink: {}, expand: {}, epochUsed: {} });
    expect(told.steppedDown).not.toBeNull();
  });

  it('passes through every codec of its method', async () => {
    await expect(warmUp(MEMBER.Follow)).resolves.toBeUndefined();
  });
});
