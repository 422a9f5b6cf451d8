/**
 * Members of a playground that died and that somebody started again by hand. They are no children
 * of the playground, so it cannot end them: their pid is unknown to it, and anybody may have taken
 * the port.
 */
import { parseAddress } from '../model/address.js';
import { isListening } from '../system/is-listening.js';

interface DeadMember {
  /** HOST:PORT that it listened on. */
  readonly address: string;
}

/** Those whose address is listened on again. */
export async function startedByHand<T extends DeadMember>(dead: Iterable<T>): Promise<T[]> {
  const found = await Promise.all(
    [...dead].map(async (member) => {
      const address = parseAddress(member.address);
      return address !== undefined && (await isListening(address)) ? [member] : [];
    }),
  );
  return found.flat();
}
