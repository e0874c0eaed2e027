/** The table in docs/ says what the vectors say, which forge holds against the contracts, and names every call. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type ContractName, compileContracts, PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { GAS_DOCUMENT, GAS_VECTORS, gasDocument, readGas } from './document.ts';

const read = (file: string): string => readFileSync(path.join(PROJECT_ROOT, file), 'utf8');
const artifacts = await compileContracts();
const vectors = JSON.parse(read(GAS_VECTORS)) as Record<string, number>;

test('docs/gas-contracts.md is what npm run gas:contracts writes', () => {
  expect(read(GAS_DOCUMENT)).toBe(gasDocument(new Map(Object.entries(vectors))));
});

test('every call that changes anything has its gas', () => {
  const names: readonly ContractName[] = [
    'Rollup',
    'Queue',
    'Vault',
    'Challenges',
    'Demands',
    'Equivocation',
    'EscapeHatch',
  ];
  /** What contracts call of each other is in the figures of their callers; rewards are one code in two contracts. */
  const within = [
    ...['strike', 'slash', 'hold', 'extend'].map((call) => `Rollup.${call}`),
    ...['receiveDeposit', 'reserve', 'refund', 'payClaim'].map((call) => `Vault.${call}`),
    ...['commitChallenge', 'claimReward', 'takeReward'].map((call) => `Equivocation.${call}`),
  ];
  const measured = new Set(Object.keys(vectors).map((name) => name.split(', ')[0]));
  const changing = names.flatMap((name) =>
    artifacts[name].abi.flatMap((item) =>
      item.type === 'function' && !['view', 'pure'].includes(item.stateMutability)
        ? [`${name}.${item.name}`]
        : [],
    ),
  );
  expect(changing.filter((call) => !measured.has(call) && !within.includes(call))).toEqual([]);
  expect([...measured].filter((call) => !changing.includes(call!))).toEqual([]);
});

test('figures are read from what forge logs, each name once', () => {
  const output = 'Logs:\n  gas B.b, what: 12\n  gas A.a: 3\n[PASS] test_x() (gas: 99)\n';
  expect([...readGas(output)]).toEqual([
    ['A.a', 3],
    ['B.b, what', 12],
  ]);
  expect(() => readGas(`${output}  gas A.a: 4\n`)).toThrow('expected A.a once, got it twice');
});
