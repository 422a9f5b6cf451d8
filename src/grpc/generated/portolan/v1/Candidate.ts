// Original file: portolan/v1/cluster.proto


export interface Candidate {
  'id'?: (string);
  'znode'?: (string);
  'watches'?: (string);
  'address'?: (string);
  'admin'?: (string);
}

export interface Candidate__Output {
  'id': (string);
  'znode': (string);
  'watches': (string);
  'address': (string);
  'admin': (string);
}
