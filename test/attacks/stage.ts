/** A scene as honesty plays it: the twin of every attack on it, with what proofs against it would open. */
import type { SignedBatch } from '#protocol/batch.ts';
import type { Command } from '#protocol/command.ts';
import { SegmentReplay } from '#prover-stub/segment-replay.ts';
import type { WitnessedSegment } from '#prover-stub/segment-witness.ts';
import type { BatchPlace } from '#state/batch-assembly.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { encodeProof, prove } from '#state/tree-proof.ts';
import type { NamedCommand } from './command-maker.ts';
import { type ForgedStep, Forger, type ForgerOptions, type Posted } from './forger.ts';
import { playScene, type SceneName } from './scenes.ts';
import type { World } from './world.ts';

export interface StageOptions {
  readonly world: World;
  readonly scene: SceneName;
  readonly stepwise: boolean;
  /** Instead of the scene's. */
  readonly commands?: readonly NamedCommand[];
}

export class Stage {
  readonly world: World;
  readonly scene: SceneName;
  readonly stepwise: boolean;
  readonly commands: readonly NamedCommand[];
  readonly honest: SignedBatch;
  /** Of a stepwise stage. */
  readonly steps: readonly ForgedStep[];
  /** After the honest batch. */
  readonly ledger: Forger['trees']['ledger'];
  private witnessed: readonly WitnessedSegment[] | undefined;

  constructor({ world, scene, stepwise, commands }: StageOptions) {
    this.world = world;
    this.scene = scene;
    this.stepwise = stepwise;
    this.commands = commands ?? playScene(world, scene);
    const forger = this.forger();
    for (const command of this.commands) forger.apply(command);
    this.honest = forger.close(this.place());
    this.steps = forger.steps;
    this.ledger = forger.trees.ledger;
  }

  forger(more: Partial<ForgerOptions> = {}): Forger {
    const { keccak, domain, fixture, base } = this.world;
    return new Forger({
      keccak,
      domain,
      secret: fixture.sequencerKey,
      base,
      stepwise: this.stepwise,
      ...more,
    });
  }

  place(): BatchPlace {
    const { base, anchor } = this.world;
    return { id: 2, epoch: 1, parentHash: base.batch.hash, anchor };
  }

  /** The scene played in another way. */
  forge(more: Partial<ForgerOptions>, alter?: (posted: Posted) => void): SignedBatch {
    const forger = this.forger(more);
    for (const command of this.commands) forger.apply(command);
    return forger.close(this.place(), alter);
  }

  command(name: string): NamedCommand {
    const command = this.commands.find((one) => one.name === name);
    if (command === undefined) throw new Error(`scene ${this.scene}: expected a command "${name}", got none`);
    return command;
  }

  /** Witness and outcome of every segment of the honest batch. */
  witnesses(): readonly WitnessedSegment[] {
    this.witnessed ??= witnessesOf(this.world, this.honest, this.commands);
    return this.witnessed;
  }

  /** Packed proofs of a leaf before and after the honest batch. */
  leaf(key: Uint8Array): { pre: Uint8Array; post: Uint8Array } {
    const { trees } = loadSnapshot(this.world.base.snapshot, this.world.keccak);
    return { pre: encodeProof(prove(trees.ledger, key)), post: encodeProof(prove(this.ledger, key)) };
  }
}

function witnessesOf(world: World, batch: SignedBatch, commands: readonly Command[]): WitnessedSegment[] {
  const { header, trace, inputs } = batch;
  let { firstStep } = header;
  let start = 0;
  const segments = trace.map(({ nextStep, inputEnd }) => {
    const range = { firstStep, nextStep, inputs: inputs.subarray(start, inputEnd) };
    firstStep = nextStep;
    start = inputEnd;
    return range;
  });
  const { state, trees } = loadSnapshot(world.base.snapshot, world.keccak);
  const replay = new SegmentReplay({ state, trees, nextStep: header.firstStep, segments });
  return [...commands.flatMap((command) => replay.apply(command)), ...replay.end()];
}
