/** What a list of commands comes to: one hash over every event and every leaf of the state. */
import { Engine } from '#engine/engine.ts';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { EVENT_STRIDE } from '#protocol/event.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { visitLeaves } from '#state/all-leaves.ts';
import { ExchangeState } from '#state/exchange-state.ts';

/** u32 record length ‖ u32 signers length ‖ record ‖ signers, for each. */
export function encodeCommands(commands: readonly Command[]): Uint8Array {
  return concat(
    ...commands.flatMap(({ record, signers }) => {
      const lengths = new Uint8Array(8);
      viewOf(lengths).setUint32(0, record.length);
      viewOf(lengths).setUint32(4, signers.length);
      return [lengths, record, signers];
    }),
  );
}

export function decodeCommands(bytes: Uint8Array): Command[] {
  const view = viewOf(bytes);
  const commands: Command[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [record, signers] = [view.getUint32(at), view.getUint32(at + 4)];
    commands.push({
      record: bytes.slice(at + 8, at + 8 + record),
      signers: bytes.slice(at + 8 + record, at + 8 + record + signers),
    });
    at += 8 + record + signers;
  }
  return commands;
}

export function stateHash(state: ExchangeState): string {
  const parts: Uint8Array[] = [];
  visitLeaves(state, (key, value) => parts.push(nobleKeccak(concat(key, value))));
  return toHex(nobleKeccak(concat(...parts)));
}

export function outcomeOf(commands: readonly Command[]): string {
  const engine = new Engine(new ExchangeState());
  let events: Uint8Array = new Uint8Array(32);
  for (const command of commands) {
    engine.apply(command);
    const rows = engine.events.data.slice(0, engine.events.count * EVENT_STRIDE);
    events = nobleKeccak(concat(events, new Uint8Array(rows.buffer)));
  }
  return `${toHex(events)} ${stateHash(engine.state)}`;
}
