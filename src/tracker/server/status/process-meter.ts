// What the process costs, measured by whoever runs the tracker: this room names neither the system nor its clocks.

/** One for every thread. Called about once a second. */
export interface ProcessMeter {
  /** Memory of the whole process. */
  rssBytes(): number;
  /** Memory in use by objects of this thread. */
  heapBytes(): number;
  /** Processor time of the whole process since its start, seconds. */
  cpuS(): number;
  /** How late this thread's event loop was, 99th percentile since the last call, milliseconds. */
  takeLoopDelayP99Ms(): number;
}
