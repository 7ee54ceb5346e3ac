// Loaded before the program into a process that is watched: says, when asked, what is left after a collection of garbage.

process.on('message', () => {
  // The second one takes what finalizers of the first let go.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  process.send?.({ heapBytes: heapUsed, externalBytes: external, timers });
});
// The channel alone must not keep the program from ending.
process.channel?.unref();
