/**
 * Attacks of the first kind, enumerated: for every kind of step, every kind of leaf that it writes, and every field of
 * that leaf, the value that the step wrote is altered before the root is taken. Whatever comes later in the batch
 * follows from the altered leaf.
 */
import type { LeafValue } from '#state/leaves.ts';
import { StepKind } from '#state/trace.ts';
import type { Attack } from './attack.ts';
import { bumped, fieldsOf, leafLabel } from './fields.ts';
import type { Write } from './forger.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

const KIND_NAMES = new Map<number, string>(
  Object.entries(StepKind).map(([name, kind]) => [kind, name.toLowerCase().replaceAll('_', '-')]),
);

interface Alteration {
  readonly name: string;
  readonly value: LeafValue;
}

/** Attacks on the steps of one scene whose names are not in `seen` yet. */
export function alteredFields(stage: Stage, seen: Set<string>): Attack[] {
  const attacks: Attack[] = [];
  for (const [index, { kind, writes }] of stage.steps.entries())
    for (const write of writes)
      for (const { name, value } of alterations(write)) {
        const title = `${KIND_NAMES.get(kind)}: ${name}`;
        if (seen.has(title)) continue;
        seen.add(title);
        attacks.push(attack(stage.scene, title, index, write.key, value));
      }
  return attacks;
}

function attack(scene: SceneName, name: string, step: number, key: Uint8Array, value: LeafValue): Attack {
  return {
    ...{ name, family: 'field', scene, stepwise: true, isConsistent: false },
    forge: (stage) =>
      stage.forge({
        tamper: (index, write) => {
          if (index === step) write(key, value);
        },
      }),
  };
}

/** What can be made of a written leaf: each field one more, the old value, none at all. */
function alterations({ key, before, value }: Write): Alteration[] {
  const label = leafLabel(key);
  if (value === undefined) return [{ name: `${label} stays`, value: before }];
  const made: Alteration[] = fieldsOf(key, value, before).map((field) => {
    const { value: altered, by } = bumped(value, field);
    return { name: `${label} ${field.name} ${by}`, value: altered };
  });
  const whole = label.endsWith("'s") ? `${label} leaf` : label;
  if (before === undefined) made.push({ name: `${whole} not written`, value: undefined });
  else {
    made.push({ name: `${whole} unchanged`, value: before });
    made.push({ name: `${whole} deleted`, value: undefined });
  }
  return made;
}
