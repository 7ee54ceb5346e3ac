// The tracker's numbers in the text format of Prometheus (version 0.0.4): what a scraper fetches at `/metrics`.

import { FAULTS } from './faults.ts';
import type { TrackerStats } from './stats.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** `startedS`: when the tracker began, seconds since 1970. */
export function metricsText(stats: TrackerStats, startedS: number): string {
  const { http, udp, ws, bytes, faults, store } = stats;
  const text = new MetricsWriter();
  text.counter(
    'shoal_tracker_announces_total',
    'Announces answered with peers.',
    byProtocol('announces', http, udp, ws),
  );
  text.counter('shoal_tracker_scrapes_total', 'Scrapes answered.', byProtocol('scrapes', http, udp, ws));
  text.counter('shoal_tracker_errors_total', 'Requests answered with an error.', byProtocol('errors', http, udp, ws));
  text.counter('shoal_tracker_udp_connects_total', 'Connection ids given out over UDP.', [[{}, udp.connects]]);
  text.counter('shoal_tracker_signals_total', 'Offers and answers passed on to other peers over WebSocket.', [
    [{ kind: 'offer' }, ws.offers],
    [{ kind: 'answer' }, ws.answers],
  ]);
  text.counter(
    'shoal_tracker_faults_total',
    'Requests and connections that were not served, by the reason.',
    FAULTS.map((kind) => [{ kind: snakeCase(kind) }, faults[kind]]),
  );
  text.counter('shoal_tracker_received_bytes_total', 'Payload that came in.', [
    [{ protocol: 'http' }, bytes.httpIn],
    [{ protocol: 'udp' }, bytes.udpIn],
    [{ protocol: 'ws' }, bytes.wsIn],
  ]);
  text.counter('shoal_tracker_sent_bytes_total', 'Payload that went out.', [
    [{ protocol: 'http' }, bytes.httpOut],
    [{ protocol: 'udp' }, bytes.udpOut],
    [{ protocol: 'ws' }, bytes.wsOut],
  ]);
  text.gauge('shoal_tracker_torrents', 'Torrents that somebody has announced.', [[{}, stats.swarms]]);
  text.gauge('shoal_tracker_peers', 'Peers known.', [
    [{ role: 'seed' }, stats.seeds],
    [{ role: 'leech' }, stats.leeches],
  ]);
  text.gauge('shoal_tracker_connections', 'Connections open.', [
    [{ protocol: 'http' }, http.connections],
    [{ protocol: 'ws' }, ws.connections],
  ]);
  text.gauge('shoal_tracker_websocket_bytes', 'Memory for messages of WebSocket connections.', [[{}, ws.heldBytes]]);
  text.gauge('shoal_tracker_table_bytes', 'Memory of the swarm table.', [[{}, stats.memoryBytes]]);
  text.gauge('shoal_tracker_announce_interval_seconds', 'Time that clients are told to wait.', [[{}, stats.intervalS]]);
  text.gauge('shoal_tracker_threads', 'Threads that serve.', [[{}, stats.threads]]);
  if (store !== null) {
    text.gauge('shoal_tracker_store_up', 'Whether the shared store can be reached.', [[{}, store === 'up' ? 1 : 0]]);
  }
  writeProcess(text, stats.process, startedS);
  return text.text;
}

/** The names that clients of Prometheus use for every program. */
function writeProcess(text: MetricsWriter, costs: TrackerStats['process'], startedS: number): void {
  text.gauge('process_start_time_seconds', 'Start of the tracker since 1970.', [[{}, startedS]]);
  if (costs === null) return;
  text.counter('process_cpu_seconds_total', 'Processor time of the process.', [[{}, costs.cpuS]]);
  text.gauge('process_resident_memory_bytes', 'Memory of the process.', [[{}, costs.rssBytes]]);
  text.gauge('nodejs_heap_size_used_bytes', 'Memory in use by objects, over all threads.', [[{}, costs.heapBytes]]);
  text.gauge('nodejs_eventloop_lag_p99_seconds', 'How late the event loop was in the last ten seconds.', [
    [{}, costs.loopDelayP99Ms / 1000],
  ]);
}

function byProtocol<Name extends string>(
  name: Name,
  http: Readonly<Record<Name, number>>,
  udp: Readonly<Record<Name, number>>,
  ws: Readonly<Record<Name, number>>,
): Sample[] {
  return [
    [{ protocol: 'http' }, http[name]],
    [{ protocol: 'udp' }, udp[name]],
    [{ protocol: 'ws' }, ws[name]],
  ];
}

/** `tooManyPeers` as `too_many_peers`, as labels are written by custom. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Names, labels and help are fixed texts of ours: nothing in them has to be escaped. */
class MetricsWriter {
  text = '';

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'counter', help, samples);
  }

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#family(name, 'gauge', help, samples);
  }

  #family(name: string, type: string, help: string, samples: readonly Sample[]): void {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of samples) {
      const list = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      this.text += `${name}${list.length > 0 ? `{${list.join()}}` : ''} ${value}\n`;
    }
  }
}
