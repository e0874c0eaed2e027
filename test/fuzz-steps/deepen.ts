/**
 * Paths as deep as users can force them: beside a key, leaves that part from it in every bit that somebody chooses or
 * that counting can reach. Nobody's step reads them; they stand in the trees alone.
 */
import { isBookKey, KeyKind } from '#state/keys.ts';
import type { StateTrees } from '#state/state-root.ts';
import { bitAt } from '#state/state-tree.ts';

/** Half-open ranges of bits of a key in which other keys may part from it. */
type Bits = readonly (readonly [from: number, to: number])[];

/** Ids are counted: more accounts, and more orders, than these bits hold are out of reach. */
const ACCOUNT_BITS = 24;
const ORDER_BITS = 40;
const account: readonly [number, number] = [8 + 32 - ACCOUNT_BITS, 40];

const FORCED: Readonly<Record<number, Bits>> = {
  [KeyKind.ACCOUNT]: [account],
  // Anybody may deposit for any owner.
  [KeyKind.OWNER]: [[8, 176]],
  [KeyKind.WITHDRAWN]: [[8, 168]],
  // At most 1,024 markets, without gaps.
  [KeyKind.MARKET_CONFIG]: [[14, 24]],
  [KeyKind.MARKET_STATE]: [[14, 24]],
  [KeyKind.PRICES]: [[18, 24]],
  [KeyKind.ORACLE]: [[14, 24]],
  [KeyKind.ORDER]: [
    [14, 24],
    [32, 64],
    [128 - ORDER_BITS, 128],
  ],
  [KeyKind.LEVEL]: [
    [14, 24],
    [32, 64],
  ],
  [KeyKind.ORDER_INDEX]: [account, [46, 56], [120 - ORDER_BITS, 120]],
  // Client ids are below 2^53, and chosen.
  [KeyKind.CLIENT_INDEX]: [account, [46, 56], [67, 120]],
  // An account has at most 32 keys, of any bits.
  [KeyKind.SESSION_KEY]: [account, [40, 72]],
  [KeyKind.EXPIRY]: [
    [8, 56],
    [63, 64],
    [128 - ORDER_BITS, 128],
  ],
};

/**
 * Adds the leaves. `ranged`: kinds of which a step takes the first under a prefix; there the others come behind.
 * Where nothing can part, a value of 32 bytes is as good as any.
 */
export function deepen(trees: StateTrees, keys: readonly Uint8Array[], ranged: ReadonlySet<number>): void {
  const value = new Uint8Array(33).fill(1);
  for (const key of keys)
    for (const [from, to] of FORCED[key[0]!] ?? [])
      for (let bit = from; bit < to; bit++) {
        if (ranged.has(key[0]!) && bitAt(key, bit) === 1) continue;
        const other = key.slice();
        other[bit >> 3]! ^= 0x80 >> (bit & 7);
        const tree = isBookKey(other) ? trees.book : trees.ledger;
        if (keys.some((one) => Buffer.compare(one, other) === 0) || tree.get(other) !== undefined) continue;
        tree.set(other, value);
      }
}
