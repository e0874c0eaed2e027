import { expect, test } from 'vitest';
import { loadFailureSentence, loadUws } from '#gateway/uws.ts';

test('uWebSockets.js loads here', async () => {
  expect(typeof (await loadUws()).App).toBe('function');
});

test('a failure to load is one sentence with the remedy', async () => {
  const failing = () => Promise.reject(new Error('GLIBC_2.38 not found'));
  await expect(loadUws(failing)).rejects.toThrow(
    /^uWebSockets\.js: expected Node 20 .* got Node \d+.* install Node 20/,
  );
  expect(loadFailureSentence({ node: '22.1.0', glibc: 'glibc 2.36' })).toContain(
    'got Node 22.1.0 with glibc 2.36',
  );
});
