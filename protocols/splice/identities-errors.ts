import { LedgerholdError } from '../../core/errors.ts';

/** `where` is the endpoint's origin and path. No message holds anything of the answer's body. */
export class IdentitiesNotServed extends LedgerholdError {
  override readonly name = 'IdentitiesNotServed';
  readonly kind = 'external';
  constructor(where: string) {
    super(
      `${where} answered 404: this validator does not serve its identities there, and there is no backup of its keys`,
      'Check the URL first. A node with keys in KMS can answer 404 by a fault of its version (canton-network/splice 5777): ' +
        'update it, or derive the identities from a restored copy of the participant database; its KMS keys must be kept.',
    );
  }
}

export class NotAnAdministrator extends LedgerholdError {
  override readonly name = 'NotAnAdministrator';
  readonly kind = 'usage';
  constructor(where: string, status: number) {
    super(
      `${where} answered ${status}: the token is not one of this validator's operator`,
      "Use the validator's own client: the token's subject must be its ledger-api-user, its audience the validator's.",
    );
  }
}

export class ValidatorFailed extends LedgerholdError {
  override readonly name = 'ValidatorFailed';
  readonly kind = 'external';
  constructor(where: string, status: number) {
    super(`${where} answered ${status}`, "Look at the validator's log; the same call may succeed later.");
  }
}

export class NotIdentities extends LedgerholdError {
  override readonly name = 'NotIdentities';
  readonly kind = 'violation';
  constructor(where: string, why: string) {
    super(
      `what ${where} answered are not a participant's identities: ${why}; nothing of it was stored`,
      'Check that the URL is the base of the validator API (…/api/validator), and what else answers at that host.',
    );
  }
}

export class ForeignParticipant extends LedgerholdError {
  override readonly name = 'ForeignParticipant';
  readonly kind = 'violation';
  constructor(where: string, found: string, registered: string) {
    super(
      `${where} gave the identities of ${found}, but this node is registered as ${registered}; nothing was stored`,
      'Find out why another participant answers there; change `participant` in the config only if the node was replaced.',
    );
  }
}
