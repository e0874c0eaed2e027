/** The sequencer as a process of its own, for tests that kill it: settings as JSON in the first argument. */
import { runSequencer } from '#sequencer/main.ts';

const sequencer = await runSequencer(JSON.parse(process.argv[2]!));
void sequencer.failed.then((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void sequencer.stop().then(
      () => process.exit(0),
      (error) => {
        process.stderr.write(`${error}\n`);
        process.exit(1);
      },
    );
  });
