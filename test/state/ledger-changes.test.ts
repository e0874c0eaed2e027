import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeDiff } from '#state/diff.ts';
import { LedgerChanges } from '#state/ledger-changes.ts';

const key = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.uint8Array({ maxLength: 6 }))
  .map(([kind, rest]) => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? kind : (rest[i - 1] ?? 0))));
const sparse = fc
  .tuple(fc.integer({ min: 0, max: 1300 }), fc.array(fc.tuple(fc.nat(1300), fc.nat(255)), { maxLength: 40 }))
  .map(([length, bytes]) => {
    const value = new Uint8Array(length);
    for (const [at, byte] of bytes) if (at < length) value[at] = byte;
    return value;
  });
const value = fc.option(fc.oneof(sparse, fc.uint8Array({ maxLength: 200 })), { nil: undefined });

it('ledger changes never take more bytes in the diff than their bound, and drop what came back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 25 }), (writes) => {
      const changes = new LedgerChanges();
      const held = new Map<string, Uint8Array | undefined>();
      for (const [at, next] of writes) {
        changes.note(at, held.get(at.join()), next);
        held.set(at.join(), next);
      }
      expect(encodeDiff(changes.all()).length).toBeLessThanOrEqual(changes.bytes);
      for (const [at] of writes) {
        changes.note(at, held.get(at.join()), undefined);
        held.set(at.join(), undefined);
      }
      expect(changes.all()).toEqual([]);
      expect(changes.bytes).toBe(0);
    }),
    { numRuns: 500 },
  );
});
