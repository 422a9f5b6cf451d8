// Original file: portolan/v1/cluster.proto


export interface Node {
  'id'?: (string);
  'address'?: (string);
  'state'?: (string);
  'shards'?: (number);
  'primaries'?: (number);
  'host'?: (string);
  'zone'?: (string);
}

export interface Node__Output {
  'id': (string);
  'address': (string);
  'state': (string);
  'shards': (number);
  'primaries': (number);
  'host': (string);
  'zone': (string);
}
