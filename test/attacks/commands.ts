/**
 * Attacks by what is sequenced: messages that nobody may send, queue entries that L1 does not have in this place, times
 * and records that are not those that were executed. The engine is changed as far as it would refuse them.
 */
import type { Attack } from './attack.ts';
import { changedEngine } from './changed-engine.ts';
import { timeOf } from './deeds.ts';
import { MESSAGE_DEEDS } from './message-deeds.ts';
import { SEQUENCE_DEEDS } from './sequence-deeds.ts';

export const byCommands = (): Attack[] =>
  Object.entries({ ...MESSAGE_DEEDS, ...SEQUENCE_DEEDS }).map(([name, { scene, edits, stepwise, play }]) => ({
    ...{ name, family: 'commands', scene, isConsistent: true, stepwise: stepwise ?? false },
    forge: async (stage) => {
      const forger = stage.forger(edits === undefined ? {} : { engine: await changedEngine(edits) });
      const make = stage.world.maker.fork();
      make.now = timeOf(stage.commands.at(-1)!) + 10;
      make.nonce += 200;
      make.sequence += 200;
      play({ stage, forger, make });
      return forger.close(stage.place());
    },
  }));
