/**
 * How many replicas are given all data at a time by the primaries of one node. Each holds a
 * snapshot open and has parts on their way: a node that joins may have to learn thousands of
 * shards, which would break the streams and fill the memory of the others if all began at once.
 */
export class Installs {
  readonly #settings: InstallSettings;
  /** Whom they go to. */
  readonly #underWay = new Set<object>();

  constructor(settings: InstallSettings) {
    this.#settings = settings;
  }

  get mayBegin(): boolean {
    return this.#underWay.size < this.#settings.installsMax;
  }

  begin(peer: object): void {
    this.#underWay.add(peer);
  }

  /** Whether it is done or broken off, or never began. */
  end(peer: object): void {
    this.#underWay.delete(peer);
  }
}

export interface InstallSettings {
  /** Installs under way at once. */
  readonly installsMax: number;
}
