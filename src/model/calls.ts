/** The kinds of call that travel to the primary of a key. */
export type CallKind = 'get' | 'put' | 'delete';
