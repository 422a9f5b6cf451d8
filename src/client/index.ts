/** The published client library: everything a user of `portolan` imports. */
export { type Bytes, Client, connect } from './client.js';
export type { ClusterStatus, LearningStatus } from '../model/status.js';
export { type Outcome, OutcomeUnknownError, PortolanError } from './errors.js';
export type { FoundValue, WriteResult } from './messages.js';
export type { CallOptions, ConnectOptions, DeleteOptions, PutOptions } from './options.js';
