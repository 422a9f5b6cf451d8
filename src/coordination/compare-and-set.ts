/**
 * Writing exactly once, although the answer may get lost (rule Z5), and writing only while still
 * leading (rule Z3).
 *
 * A write whose answer is lost may have happened. The data it wrote tells: it holds a nonce, so no
 * other write ever wrote the same bytes. Kafka resolves the ambiguous creation of its controller's
 * znode in this way (KAFKA-6082). What is read behind a barrier of the same session is final: the
 * service lets nothing that the session sent before the barrier take effect behind it.
 */
import { assert } from '../model/assert.js';
import { ZNODES } from '../model/znodes.js';
import type { CoordinatorSession, MultiOp, Outcome } from '../ports/coordinator.js';

/** Times a write is sent whose answers get lost while the znode stays as it was. */
const ATTEMPTS = 3;
/** Where {@link fencedMulti} puts its check, and so what a refusal by it looks like. */
const FENCE_STEP = 0;

/** Somebody else took the leaderEpoch: whoever hears this leads no more. Nothing was changed. */
interface Fenced {
  readonly status: 'fenced';
}

type Witness = MultiOp & { readonly type: 'create' | 'set' };

/**
 * All steps or none, and known which in all but the worst case. `failed` is definite. `unknown`:
 * nobody answers, or the znode was changed again since, so read before deciding anything.
 *
 * Requires a step that sets or creates (not sequentially) data which holds a fresh nonce.
 */
export async function writeOnce(
  session: CoordinatorSession,
  ops: readonly MultiOp[],
): Promise<Outcome<void>> {
  const witness = ops.find(isWitness);
  assert(witness !== undefined, 'a write that can be recognised');
  for (let attempt = 1; ; attempt++) {
    const written = await session.multi(ops);
    if (written.status === 'ok') return { status: 'ok', value: undefined };
    // Definite for the attempts before this one too: they were seen not to have happened.
    if (written.status === 'failed') return written;
    const found = await lookFor(session, witness);
    if (found === 'there') return { status: 'ok', value: undefined };
    if (found === 'unclear' || attempt === ATTEMPTS) return written;
  }
}

/**
 * {@link writeOnce} for a leader: nothing happens unless `/leader/epoch` still has the version that
 * this leader gave it.
 */
export async function fencedMulti(
  session: CoordinatorSession,
  fenceVersion: number,
  ops: readonly MultiOp[],
): Promise<Outcome<void> | Fenced> {
  const fence: MultiOp = { type: 'check', path: ZNODES.leaderEpoch, version: fenceVersion };
  const written = await writeOnce(session, [fence, ...ops]);
  const fenced = written.status === 'failed' && written.opIndex === FENCE_STEP;
  return fenced ? { status: 'fenced' } : written;
}

/** Sets the data of a znode that still has this version. The data holds a fresh nonce. */
export function compareAndSet(
  session: CoordinatorSession,
  write: { readonly path: string; readonly data: Buffer; readonly version: number },
): Promise<Outcome<void>> {
  return writeOnce(session, [{ type: 'set', ...write }]);
}

function isWitness(op: MultiOp): op is Witness {
  return op.type === 'set' || (op.type === 'create' && op.mode !== 'ephemeral-sequential');
}

/** `absent`: the znode is as it was before the write, so the write did not and will not happen. */
async function lookFor(
  session: CoordinatorSession,
  witness: Witness,
): Promise<'there' | 'absent' | 'unclear'> {
  const barrier = await session.barrier();
  if (barrier.status !== 'ok') return 'unclear';
  const read = await session.read(witness.path);
  if (read.status !== 'ok') return 'unclear';
  if (read.value?.data.equals(witness.data) === true) return 'there';
  const before = witness.type === 'set' ? witness.version : undefined;
  return read.value?.stat.version === before ? 'absent' : 'unclear';
}
