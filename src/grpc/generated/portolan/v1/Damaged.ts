// Original file: portolan/v1/cluster.proto


export interface Damaged {
  'node'?: (string);
  'problem'?: (string);
}

export interface Damaged__Output {
  'node': (string);
  'problem': (string);
}
