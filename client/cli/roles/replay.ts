/** `sluice replay FILE`: plays a recorded order flow through the whole system; short for `sluice demo --replay FILE`. */
import { Command } from 'commander';
import type { DemoFlags } from '../../demo/flags.ts';
import { withExamples } from '../options.ts';
import { runDemoWith, withDemoFlags } from './demo.ts';

export const replayCommand = (): Command =>
  withExamples(
    withDemoFlags(
      new Command('replay')
        .description('play a recorded order flow through the whole system and compare the outcome')
        .argument('<file>', 'recording: CSV with time_ns,op,id,side,price_ticks,size'),
      ['replay', 'duration'],
    ),
    'sluice replay es_replay.csv --speed max --report report.json',
    'sluice replay es_replay.csv --speed 10',
  ).action((file: string, flags: DemoFlags) => runDemoWith({ ...flags, replay: file }));
