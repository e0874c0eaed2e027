/** Replays a file of journal entries in a process of its own and says what state it reaches, as one line of JSON. */
import { readFileSync } from 'node:fs';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { Engine } from '#engine/engine.ts';
import { EntryReader } from '#journal/entry.ts';
import { stateDigest } from '#pipeline/state-digest.ts';
import { toHex } from '#protocol/bytes.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { leavesOf } from '../support/corridor.ts';

const [file, count] = process.argv.slice(2);
const keccak = await createWasmKeccak();
const engine = new Engine(new ExchangeState(keccak));
const entries = new EntryReader(new Uint8Array(readFileSync(file!)), Number(count));
while (entries.next()) engine.apply(entries);
const leaves = toHex(keccak(new TextEncoder().encode(leavesOf(engine.state).join('\n'))));
process.stdout.write(
  JSON.stringify({ seq: engine.state.seq, digest: toHex(stateDigest(engine.state)), leaves }),
);
