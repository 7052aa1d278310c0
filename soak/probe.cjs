/**
 * Loaded before the instance that is watched (`node --require`): answers its parent with what only the process itself knows.
 * Memory is measured after two collections, so that only what is held on to counts.
 */
process.on('message', (question) => {
  if (question !== 'facts') return;
  globalThis.gc();
  globalThis.gc();
  const resources = process.getActiveResourcesInfo();
  process.send({
    heapBytes: process.memoryUsage().heapUsed,
    timers: resources.filter((name) => name === 'Timeout' || name === 'Immediate').length,
  });
});
