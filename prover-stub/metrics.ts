/** A verifier's counters for Prometheus, read from its status when they are asked for. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { ChallengerStatus } from './challenger.ts';
import type { DemanderStatus } from './demander.ts';
import type { FinalizerStatus } from './finalizer.ts';
import type { VerifierStatus } from './verifier-status.ts';

export function verifierMetrics(
  status: () => VerifierStatus,
  {
    challenges,
    proofs,
    demands,
  }: {
    readonly challenges?: () => ChallengerStatus;
    readonly proofs?: () => FinalizerStatus;
    readonly demands?: () => DemanderStatus;
  } = {},
): Registry {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, read: (now: VerifierStatus) => number): void => {
    new Counter({
      name: `sluice_verifier_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(status()));
      },
    });
  };
  const gauge = (name: string, help: string, read: (now: VerifierStatus) => number): void => {
    new Gauge({
      name: `sluice_verifier_${name}`,
      help,
      registers,
      collect() {
        this.set(read(status()));
      },
    });
  };
  counter('batches', 'Batches re-executed and found as posted', ({ verified }) => verified);
  counter('segments', 'Segments of those batches', ({ segments }) => segments);
  counter('steps', 'Steps of those batches', ({ steps }) => steps);
  counter('commands', 'Commands of those batches', ({ commands }) => commands);
  counter('reorgs', 'Times that L1 went back', ({ l1 }) => l1.reorgs);
  gauge('mismatches', 'Batches found to be wrong', ({ mismatches }) => mismatches);
  gauge('head', 'Newest batch on L1', ({ committed }) => committed);
  gauge('final', 'Newest final batch on L1', ({ final }) => final);
  gauge('l1_block', 'Last L1 block read', ({ l1 }) => l1.block);
  gauge('l1_trouble', '1 while L1 can not be read', ({ l1 }) => (l1.trouble === null ? 0 : 1));
  if (challenges !== undefined) {
    counter('challenges_committed', 'Challenges committed to', () => challenges().committed);
    counter('batches_struck', 'Batches struck by this verifier', () => challenges().struck);
    counter('rewards', 'Rewards taken', () => challenges().rewards);
    gauge(
      'challenges_open',
      'Challenges that have not ended',
      () => challenges().cases.filter(({ stage }) => stage !== 'done').length,
    );
    gauge('challenge_trouble', '1 while a challenge does not get on', () =>
      challenges().trouble === null ? 0 : 1,
    );
  }
  gauge('inputs_missing', 'Segments whose inputs nobody gives', ({ missing }) => missing?.segments ?? 0);
  if (demands !== undefined) {
    counter('demands', 'Demands for inputs that were made', () => demands().demanded);
    counter('demands_answered', 'Of these, answered', () => demands().answered);
    counter('withheld_struck', 'Batches struck because nobody answered', () => demands().struck);
    gauge('demands_open', 'Demands that wait for an answer', () => demands().open.length);
  }
  if (proofs !== undefined) {
    counter('batches_proven', 'Batches made final by proofs of this verifier', () => proofs().proven);
    gauge('finalize_trouble', '1 while a proof is not taken', () => (proofs().trouble === null ? 0 : 1));
  }
  return registry;
}
