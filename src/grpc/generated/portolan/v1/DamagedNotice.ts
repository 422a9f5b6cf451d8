// Original file: portolan/v1/internal.proto


export interface DamagedNotice {
  'shard'?: (number);
  'node'?: (string);
  'problem'?: (string);
}

export interface DamagedNotice__Output {
  'shard': (number);
  'node': (string);
  'problem': (string);
}
