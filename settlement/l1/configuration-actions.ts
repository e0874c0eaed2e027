/**
 * Changing the configuration through L1: the configurator proposes, everybody sees it announced, and after the
 * timelock anyone may enter it into the queue. Everything rejects with `L1Error`.
 */
import { encodeFunctionData, parseEventLogs, type TransactionReceipt } from 'viem';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { queueAbi } from './abi.ts';
import { type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { scanLogs } from './logs.ts';
import { enqueue, type Queued } from './vault-actions.ts';

/** A configuration entry (kinds 16 to 18, payloads of protocol/market.ts). */
export interface ConfigurationChange {
  readonly kind: number;
  readonly payload: Uint8Array;
}

export interface Proposed extends ConfigurationChange {
  readonly id: number;
  /** When anyone may enter it, milliseconds. */
  readonly enterableAtMs: number;
}

/** Announces a change; only the configurator's key may. */
export async function proposeConfiguration(
  l1: L1Client,
  rollup: RollupContracts,
  change: ConfigurationChange,
): Promise<Proposed> {
  const receipt = await send(l1, {
    to: rollup.queue,
    data: encodeFunctionData({
      abi: queueAbi,
      functionName: 'proposeConfiguration',
      args: [change.kind, toHex(change.payload)],
    }),
    doing: 'propose configuration',
  });
  const [event] = parseEventLogs({
    abi: queueAbi,
    eventName: 'ConfigurationProposed',
    logs: receipt.logs,
  });
  if (event === undefined)
    throw new L1Error('malformed', 'propose configuration: expected a ConfigurationProposed event, got none');
  return { ...change, id: Number(event.args.id), enterableAtMs: Number(event.args.enterableAtMs) };
}

/** Takes a proposal back; only the configurator's key may. */
export async function cancelConfiguration(
  l1: L1Client,
  rollup: RollupContracts,
  id: number,
): Promise<TransactionReceipt> {
  return send(l1, {
    to: rollup.queue,
    data: encodeFunctionData({ abi: queueAbi, functionName: 'cancelConfiguration', args: [BigInt(id)] }),
    doing: `cancel proposal ${id}`,
  });
}

/** Enters a proposal whose timelock has passed; pays the queue's fee. */
export async function enterConfiguration(
  l1: L1Client,
  rollup: RollupContracts,
  proposed: ConfigurationChange & { readonly id: number },
): Promise<Queued> {
  return enqueue(l1, rollup, {
    kind: proposed.kind,
    data: encodeFunctionData({
      abi: queueAbi,
      functionName: 'enterConfiguration',
      args: [BigInt(proposed.id), proposed.kind, toHex(proposed.payload)],
    }),
    doing: `enter proposal ${proposed.id}`,
  });
}

/** Proposals that were neither entered nor canceled, oldest first; some may be void by age. */
export async function openProposals(l1: L1Client, rollup: RollupContracts): Promise<Proposed[]> {
  try {
    const latest = Number(await l1.public.getBlockNumber());
    const filter = { abi: queueAbi, eventName: 'ConfigurationProposed', address: rollup.queue };
    const announced: Proposed[] = [];
    for await (const piece of scanLogs(l1, filter, { fromBlock: rollup.firstBlock, toBlock: latest }))
      for (const { args } of parseEventLogs({
        abi: queueAbi,
        eventName: 'ConfigurationProposed',
        logs: piece.logs,
      }))
        announced.push({
          id: Number(args.id),
          kind: args.kind,
          payload: fromHex(args.payload),
          enterableAtMs: Number(args.enterableAtMs),
        });
    const open = await Promise.all(announced.map((one) => isOpen(l1, rollup, one.id)));
    return announced.filter((_, i) => open[i]);
  } catch (error) {
    throw l1Error(error, `l1 ${l1.url}: proposals`);
  }
}

async function isOpen(l1: L1Client, rollup: RollupContracts, id: number): Promise<boolean> {
  const proposal = await l1.public.readContract({
    address: rollup.queue,
    abi: queueAbi,
    functionName: 'proposals',
    args: [BigInt(id)],
  });
  return proposal.enterableAtMs !== 0n;
}
