/** stateRoot = keccak256(0x03 ‖ ledgerRoot ‖ bookRoot): both trees in one hash (settlement.md section 1). */
import { concat } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import type { StateTree } from './state-tree.ts';

const STATE_TAG = Uint8Array.of(0x03);

export interface StateTrees {
  readonly ledger: StateTree;
  readonly book: StateTree;
}

export const stateRoot = (ledgerRoot: Hash, bookRoot: Hash, keccak: Keccak): Hash =>
  keccak(concat(STATE_TAG, ledgerRoot, bookRoot));
