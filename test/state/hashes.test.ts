/** The hash tables of orders against maps: small tables, few ids, so that probes collide, wrap and shift back. */
import { describe, expect, it } from 'vitest';
import { IdHash } from '#state/id-hash.ts';
import { ClientIndex, Orders } from '#state/orders.ts';
import { Random } from './random-state.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`hash tables: SEED=${SEED}`);

describe('order ids', () => {
  it('equal a map, dense and sparse, while the table grows', () => {
    const random = new Random(SEED);
    let checked = 0;
    for (let round = 0; round < 40; round++) {
      checked++;
      const hash = new IdHash(8);
      const map = new Map<number, number>();
      const far = random.below(2) === 0 ? 1 : 2 ** 32 + 1;
      const ids = Array.from({ length: random.between(3, 60) }, (_, n) => (n + 1) * far);
      for (let n = 0; n < 400; n++) {
        const id = ids[random.below(ids.length)]!;
        if (random.below(2) === 0) {
          hash.set(id, n);
          map.set(id, n);
        } else {
          hash.delete(id);
          map.delete(id);
        }
        const wrong = ids.filter((held) => hash.get(held) !== (map.get(held) ?? -1));
        if (wrong.length > 0 || hash.size !== map.size) expect([wrong, hash.size]).toEqual([[], map.size]);
      }
    }
    expect(checked).toBe(40);
  });
});

describe('client ids', () => {
  it('equal a map by account, market and client id', () => {
    const random = new Random(SEED);
    let checked = 0;
    for (let round = 0; round < 40; round++) {
      checked++;
      const orders = new Orders();
      const index = new ClientIndex(orders, 8);
      const map = new Map<string, number>();
      const all: [number, number, number][] = [];
      for (let account = 1; account <= 3; account++)
        for (let market = 0; market < 2; market++)
          for (const clientId of [1, 2, 7, 2 ** 32 + 1, 2 ** 53 - 1]) all.push([account, market, clientId]);
      for (let n = 1; n <= 300; n++) {
        const [account, market, clientId] = all[random.below(all.length)]!;
        const key = `${account}/${market}/${clientId}`;
        const held = map.get(key);
        if (held === undefined) {
          const slot = orders.allocate(n);
          orders.setAccount(slot, account);
          orders.setMarketAndFlags(slot, market, 0);
          orders.setClientId(slot, clientId);
          index.add(slot);
          map.set(key, slot);
        } else {
          index.remove(held);
          orders.free(held);
          map.delete(key);
        }
        const wrong = all.filter(([a, m, c]) => index.find(a, m, c) !== (map.get(`${a}/${m}/${c}`) ?? -1));
        if (wrong.length > 0) expect(wrong).toEqual([]);
      }
    }
    expect(checked).toBe(40);
  });
});
