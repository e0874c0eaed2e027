/** Auto-deleveraging said plainly: list everybody, sort by score, serve band after band, all in exact fractions. */
import { type BankruptPosition, type Holder, zeroQuote } from '#engine/risk/adl.ts';

export interface NaiveHolder extends Holder {
  readonly id: number;
}

export interface NaiveFill {
  readonly id: number;
  readonly lots: number;
  readonly band: number;
}

const EDGES = [1_000_000n, 100_000n, 10_000n, 1_000n];

/** score ≥ edge / 1e6, as a comparison of products. */
const reaches = (holder: Holder, lotValue: number, edge: bigint): boolean =>
  (BigInt(holder.size) * BigInt(lotValue) + BigInt(holder.v)) * BigInt(holder.maintenance) * 1_000_000n >=
  edge * (holder.v < 0 ? -BigInt(holder.v) : BigInt(holder.v)) * BigInt(holder.equity);

/** Ids of the candidates, best score first, ties by id. */
export function naiveOrder(position: BankruptPosition, holders: readonly NaiveHolder[]): NaiveHolder[] {
  const all = BigInt(zeroQuote(position, Math.abs(position.size)));
  const lots = BigInt(Math.abs(position.size));
  const asked = holders.filter(
    ({ size, v, equity, maintenance }) =>
      size * position.size < 0 &&
      v !== 0 &&
      equity > 0 &&
      maintenance > 0 &&
      BigInt(size) * all >= -BigInt(v) * lots,
  );
  const value = ({ size, v, maintenance }: NaiveHolder): bigint =>
    (BigInt(size) * BigInt(position.lotValue) + BigInt(v)) * BigInt(maintenance);
  const scale = ({ v, equity }: NaiveHolder): bigint => BigInt(Math.abs(v)) * BigInt(equity);
  return [...asked].sort((a, b) => {
    const left = value(a) * scale(b);
    const right = value(b) * scale(a);
    return left === right ? a.id - b.id : left > right ? -1 : 1;
  });
}

/** What each candidate gives, by ascending id. */
export function naiveDeleverage(position: BankruptPosition, holders: readonly NaiveHolder[]): NaiveFill[] {
  const order = naiveOrder(position, holders);
  let left = Math.abs(position.size);
  const fills: NaiveFill[] = [];
  for (let band = 0; band <= EDGES.length; band++) {
    const members = order
      .filter((holder) => EDGES.filter((edge) => !reaches(holder, position.lotValue, edge)).length === band)
      .sort((a, b) => a.id - b.id);
    const sum = members.reduce((lots, { size }) => lots + Math.abs(size), 0);
    const total = Math.min(sum, left);
    left -= total;
    let seen = 0;
    let given = 0;
    for (const { id, size } of members) {
      seen += Math.abs(size);
      // total · seen / sum, halves up.
      const exact = BigInt(total) * BigInt(seen);
      const floor = exact / BigInt(sum);
      const until = Number(2n * (exact % BigInt(sum)) >= BigInt(sum) ? floor + 1n : floor);
      if (until > given) fills.push({ id, lots: until - given, band });
      given = until;
    }
  }
  return fills.sort((a, b) => a.id - b.id);
}
