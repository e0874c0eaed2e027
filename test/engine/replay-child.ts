/** Applies the commands of a file to a new state and prints what came out; run in a process of its own. */
import { readFileSync } from 'node:fs';
import { decodeCommands, outcomeOf } from './outcome.ts';

const path = process.argv[2];
if (path === undefined) throw new Error('replay child: expected the path of a file of commands');
console.log(outcomeOf(decodeCommands(readFileSync(path))));
