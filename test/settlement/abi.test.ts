/** The typed ABIs say what the compiler says, item by item, and the contracts stay deployable. */

import { type Abi, encodeFunctionData, toFunctionSelector } from 'viem';
import { expect, test } from 'vitest';
import { encodeHeader, encodeTrace } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import {
  challengesAbi,
  demandsAbi,
  equivocationAbi,
  queueAbi,
  rollupAbi,
  stubVerifierAbi,
  tokenAbi,
  vaultAbi,
} from '#settlement/l1/abi.ts';
import { COMMIT_SELECTOR, encodeCommitBatch } from '#settlement/l1/batch-calldata.ts';
import { type ContractName, compileContracts } from '#settlement/l1/compile.ts';
import { escapeAbi } from '#settlement/l1/escape-abi.ts';
import { anyBatch } from './batch-builder.ts';

const EIP_170_BYTES = 24_576;

interface Parameter {
  readonly name?: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly Parameter[];
}

function signature(item: Abi[number]): string {
  const parameter = (one: Parameter): string =>
    `${one.type}${one.components === undefined ? '' : `(${one.components.map(parameter).join(',')})`}${one.indexed ? ' indexed' : ''}`;
  const list = (of: readonly Parameter[] | undefined): string => (of ?? []).map(parameter).join(',');
  const { type, name, inputs, outputs, stateMutability } = item as {
    type: string;
    name?: string;
    inputs?: readonly Parameter[];
    outputs?: readonly Parameter[];
    stateMutability?: string;
  };
  return `${type} ${name ?? ''}(${list(inputs)})${outputs === undefined ? '' : ` -> (${list(outputs)})`} ${stateMutability ?? ''}`;
}

const artifacts = await compileContracts();
const typedAbis: readonly (readonly [ContractName, Abi])[] = [
  ['Rollup', rollupAbi],
  ['Queue', queueAbi],
  ['Vault', vaultAbi],
  ['EscapeHatch', escapeAbi],
  ['Challenges', challengesAbi],
  ['Equivocation', equivocationAbi],
  ['Demands', demandsAbi],
  ['StubVerifier', stubVerifierAbi],
  ['TestToken', tokenAbi],
];
test.each(typedAbis)('%s', (name, typed) => {
  const compiled = new Set(artifacts[name].abi.map(signature));
  const written = new Set(typed.map(signature));
  expect([...written].filter((item) => !compiled.has(item))).toEqual([]);
  expect([...compiled].filter((item) => !written.has(item) && !item.startsWith('constructor'))).toEqual([]);
  expect(artifacts[name].runtimeBytes).toBeLessThanOrEqual(EIP_170_BYTES);
});

test('our encoder of commitBatch writes what viem writes', () => {
  const batch = anyBatch();
  const data = encodeFunctionData({
    abi: rollupAbi,
    functionName: 'commitBatch',
    args: [
      {
        header: toHex(encodeHeader(batch.header)),
        signature: toHex(batch.signature),
        trace: toHex(encodeTrace(batch.trace)),
        withdrawn: toHex(batch.withdrawn),
        diff: toHex(batch.diff),
        inputs: toHex(batch.inputs),
      },
    ],
  });
  expect(encodeCommitBatch(batch)).toBe(data);
  expect(COMMIT_SELECTOR).toBe(toFunctionSelector('commitBatch((bytes,bytes,bytes,bytes,bytes,bytes))'));
});
