/** The shortest session found that still disagrees: stretches of commands are left out while it does. */
import { Engine } from '#engine/engine.ts';
import { viewOf } from '#protocol/bytes.ts';
import { type Command, recordTime } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { compareSegments, type Disagreement } from './compare.ts';
import type { Rig } from './rig.ts';

export interface Shrunk {
  readonly commands: readonly Command[];
  readonly found: Disagreement;
}

const ATTEMPTS_MAX = 400;

export async function shrink(rig: Rig, commands: readonly Command[], keccak: Keccak): Promise<Shrunk> {
  const judge = async (some: readonly Command[]): Promise<Shrunk | undefined> => {
    const kept = admitted(some);
    if (kept.length === 0) return undefined;
    const found = await compareSegments(rig, kept, keccak);
    return found === undefined ? undefined : { commands: kept, found };
  };
  let best = await judge(commands);
  if (best === undefined) throw new Error('shrink: expected a session that disagrees, got one that does not');
  let attempts = 0;
  for (let length = Math.ceil(best.commands.length / 2); length >= 1; length = Math.floor(length / 2)) {
    // From the end: what comes behind the disagreement goes first.
    for (let end = best.commands.length; end > 0 && attempts < ATTEMPTS_MAX; end -= length, attempts++) {
      const from = Math.max(0, end - length);
      const less = await judge([...best.commands.slice(0, from), ...best.commands.slice(end)]);
      if (less !== undefined) best = less;
      end = Math.min(end, best.commands.length + length);
    }
  }
  return best;
}

/** Those that can still be sequenced when others are left out. */
function admitted(commands: readonly Command[]): Command[] {
  const engine = new Engine(new ExchangeState());
  return commands.filter((command) => {
    const time = recordTime(viewOf(command.record));
    if (time < engine.state.now || engine.admit(command, time) !== 0) return false;
    engine.apply(command);
    return true;
  });
}
