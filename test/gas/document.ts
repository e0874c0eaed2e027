/** The table of the contracts' gas, from what forge logs. */

export const GAS_VECTORS = 'test/vectors/gas.json';
export const GAS_DOCUMENT = 'docs/gas-contracts.md';

/** Lines `gas NAME: NUMBER` of forge's output, sorted by name. */
export function readGas(output: string): ReadonlyMap<string, number> {
  const found = [...output.matchAll(/^\s*gas (.+): (\d+)$/gm)];
  const gas = new Map<string, number>();
  for (const [, name, number] of found) {
    if (gas.has(name!)) throw new Error(`gas: expected ${name} once, got it twice`);
    gas.set(name!, Number(number));
  }
  return new Map([...gas].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const group = new Intl.NumberFormat('en-US');

export function gasDocument(gas: ReadonlyMap<string, number>): string {
  const rows = [...gas].map(([name, used]) => {
    const [call, ...what] = name.split(', ');
    return `| \`${call}\` | ${what.join(', ')} | ${group.format(used)} |`;
  });
  return `# Gas of the contracts

What each call costs as a transaction of its own: with its 21,000, its calldata, cold storage, and refunds. Batches have three segments and a few records, ledgers few leaves, proofs short paths: a real commit adds its calldata (40 gas a byte that is not zero, EIP-7623), a real proof about 800 gas and 33 bytes for each level of each path. What re-executing a segment adds to \`Challenges.proveFraud\` of a step is in [gas.md](gas.md). Lines with blobs are the call alone: 21,000, the calldata and the blob's own fee come on top.

Written by \`npm run gas:contracts\`; forge's tests fail when a figure drifts by more than 1 %.

| Call | What | Gas |
|---|---|--:|
${rows.join('\n')}
`;
}
