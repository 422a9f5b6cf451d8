/** What embedded coordination is started with. */
import type { Address } from '../model/address.js';

export interface ZooKeeperServerConfig {
  readonly listen: Address;
  readonly data: string;
  /** Sessions last 2 to 20 of these. */
  readonly tickMs: number;
  readonly diskReserveBytes: number;
  /** Of the product, as `srvr` tells it. */
  readonly version: string;
}
