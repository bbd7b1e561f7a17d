import { LedgerholdError } from './errors.ts';

export class CyclicOrder extends LedgerholdError {
  override readonly name = 'CyclicOrder';
  readonly kind = 'usage';
}
export class UnknownComponent extends LedgerholdError {
  override readonly name = 'UnknownComponent';
  readonly kind = 'usage';
}
export class SharedSource extends LedgerholdError {
  override readonly name = 'SharedSource';
  readonly kind = 'usage';
}
export class ReplicaSource extends LedgerholdError {
  override readonly name = 'ReplicaSource';
  readonly kind = 'usage';
}
