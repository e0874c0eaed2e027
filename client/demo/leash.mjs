/**
 * Loaded into every process that the demo starts (node --import): when the process that started it is gone, however
 * it ended, this one is asked to stop too. No orphans.
 */
if (process.channel !== undefined) {
  process.channel.unref();
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    // Whoever does not stop by itself has half a minute.
    setTimeout(() => process.exit(1), 30_000).unref();
  });
  process.channel.unref();
}
