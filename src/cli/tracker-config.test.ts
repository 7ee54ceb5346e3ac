import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configText, printedSettings } from './config-text.ts';
import { buildProgram, type CommandModules } from './program.ts';
import { applyConfig, keyOf, settingsOf, variableOf } from './tracker-config.ts';

const EXAMPLE: string = fileURLToPath(new URL('../../examples/tracker.toml', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-config-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function trackerCommand(): Command {
  const program = buildProgram('0.0.0', {} as CommandModules);
  return program.commands.find((command) => command.name() === 'tracker')!;
}

type Environment = Readonly<Record<string, string>>;

/** `shoal tracker` with flags, variables and a file; null: no file. */
async function configured(flags: readonly string[], environment: Environment, toml: string | null): Promise<Command> {
  const command = trackerCommand();
  const file: string[] = [];
  if (toml !== null) {
    writeFileSync(join(folder, 'tracker.toml'), toml);
    file.push('--config', join(folder, 'tracker.toml'));
  }
  command.parseOptions([...file, ...flags]);
  await applyConfig(command, environment);
  return command;
}

/** What is said of it, without the folder. */
async function fault(toml: string, environment: Environment = {}): Promise<string> {
  const error: unknown = await configured([], environment, toml).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'USAGE' });
  return (error as Error).message.replace(`${folder}/`, '');
}

describe('the configuration of a tracker', () => {
  it('takes each setting from the flag, else the variable, else the file, else the default', async () => {
    const layer = fc.record(
      { interval: fc.integer({ min: 1, max: 999 }), peers: fc.integer({ min: 1, max: 99 }), udp: fc.boolean() },
      { requiredKeys: [] },
    );
    const networks = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 3 });
    const near = fc.option(networks, { nil: undefined });
    const all = fc.tuple(layer, layer, layer, fc.tuple(near, near, near));
    await fc.assert(
      fc.asyncProperty(all, async ([file, variables, flags, [inFile, inVariables, inFlags]]) => {
        const cidrs = (numbers: readonly number[]): string[] => numbers.map((number) => `10.${number}.0.0/16`);
        const entries = Object.entries(file).map(([key, value]) => `${key} = ${value}`);
        if (inFile) entries.push(`near = ${JSON.stringify(cidrs(inFile))}`);
        const environment = Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [`SHOAL_${key.toUpperCase()}`, String(value)]),
        );
        if (inVariables) environment.SHOAL_NEAR = cidrs(inVariables).join(' ');
        const words = Object.entries(flags).flatMap(([key, value]) =>
          key === 'udp' ? (value ? [] : ['--no-udp']) : [`--${key}`, String(value)],
        );
        for (const cidr of cidrs(inFlags ?? [])) words.push('--near', cidr);
        const printed = printedSettings(await configured(words, environment, entries.join('\n')));
        const off = flags.udp === false ? { udp: false } : {};
        const merged = { udp: true, ...file, ...variables, ...(({ udp: _, ...rest }) => rest)(flags), ...off };
        expect(printed.udp!.value).toBe(merged.udp);
        expect(printed.interval!.value).toBe(merged.interval ?? null);
        expect(printed.peers!.value).toBe(merged.peers ?? null);
        const named = inFlags && inFlags.length > 0 ? inFlags : (inVariables ?? inFile ?? []);
        expect(printed.near!.value).toEqual(cidrs(named));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['max-peers = "x"', "tracker.toml:2: max-peers: 'x' is no number from 1 up"],
    ['peers = 201', "tracker.toml:2: peers: '201' is no number from 1 to 200"],
    ['workers = 1000', "tracker.toml:2: workers: '1000' is no number from 1 to 256"],
    ['max-peers = [1]', 'tracker.toml:2: max-peers: give one number, or a text in quotes'],
    ['max-peers = 1979-05-27', 'tracker.toml:2: max-peers: give one number, or a text in quotes'],
    ['listen = [":99999"]', "tracker.toml:2: listen: ':99999' is no HOST:PORT to listen on"],
    ['state = ""', 'tracker.toml:2: state: this path is empty'],
    ['near = [["10.0.0.0/8"]]', 'tracker.toml:2: near: give a list of texts in quotes'],
    ['udp = "no"', 'tracker.toml:2: udp: give true or false'],
    ['metrics = "some"', "tracker.toml:2: metrics: 'some' is none of all, local, off"],
    ['maxPeers = 3', 'tracker.toml:2: maxPeers: there is no such key; is it max-peers?'],
    ['no-udp = true', 'tracker.toml:2: no-udp: there is no such key; is it udp?'],
    ['interval = 5\nlimits.peers = 3', 'tracker.toml:3: limits: there is no such key'],
    ['interval = 5\n  [tls]\ncert = "a"', 'tracker.toml:3: tls: there is no such key; is it tls-cert?'],
    ['"config" = "other.toml"', 'tracker.toml:2: config: there is no such key'],
    ['interval = 5\ninterval = 6', 'tracker.toml:3: trying to redefine an already defined table or value'],
    ['interval =', 'tracker.toml:2: '],
  ])('says with file, line and key what is wrong with %s', async (line, sentence) => {
    expect(await fault(`# a comment\n${line}\n`)).toContain(sentence);
    expect(await fault(`# a comment\n${line}\n`)).not.toContain('\n');
  });

  it('says which variable is wrong, and that a file is not there', async () => {
    expect(await fault('', { SHOAL_UDP: 'maybe' })).toBe("SHOAL_UDP: 'maybe' is neither true nor false");
    expect(await fault('', { SHOAL_STATE: '' })).toBe('SHOAL_STATE: this path is empty');
    expect(await fault('', { SHOAL_MAX_PEERS: '-1' })).toContain("SHOAL_MAX_PEERS: '-1' is no number");
    expect(await configured([], { SHOAL_CONFIG: '/nowhere' }, null).catch(String)).toContain(
      "'/nowhere' cannot be read",
    );
  });

  it('takes paths in a file for those beside it, others for those of the working folder', async () => {
    const command = await configured([], { SHOAL_TLS_KEY: 'a.key' }, 'tls-cert = "a.pem"\nlog-file = "/var/log/a"');
    const { tlsCert, tlsKey, logFile } = command.opts();
    expect([tlsCert, tlsKey, logFile]).toEqual([join(folder, 'a.pem'), join(process.cwd(), 'a.key'), '/var/log/a']);
  });

  it('is printed as a file that sets the same', async () => {
    const listen = ['--listen', '[::1]:70', '--listen', ':80', '--listen', 'a.example', '--listen', '*'];
    const first = await configured(
      ['--near', '2001:db8::/32', ...listen, '--no-http'],
      { SHOAL_INTERVAL: '0.5' },
      null,
    );
    const text = configText(first);
    expect(text).toContain('interval = 0.5  # SHOAL_INTERVAL');
    expect(text).toContain('http = false  # flag');
    expect(text).toMatch(/^# max-peers: peers known at most/m);
    const again = await configured([], {}, text);
    expect(again.opts()).toEqual({ ...first.opts(), config: expect.any(String) });
  });

  it.each([
    ['redis://cache.example:7000/3?prefix=a:', 'redis://cache.example:7000/3?prefix=a:'],
    ['rediss://ann:sec%40ret@cache.example/0', 'rediss://ann:***@cache.example/0'],
    ['redis://:secret@a,b:7001?prefix=a:', 'redis://:***@a,b:7001?prefix=a:'],
    ['unix:///run/a@b.sock', 'unix:///run/a@b.sock'],
    ['redis://secret@cache.example', 'redis://***@cache.example'],
    ['unix:///run/redis.sock?db=1&user=ann&p%61ssword=secret', 'unix:///run/redis.sock?db=1&user=ann&password=***'],
  ])('is printed without the password of %s', async (url, shown) => {
    for (const command of [
      await configured(['--store', url], {}, null),
      await configured([], { SHOAL_STORE: url }, null),
      await configured([], {}, `store = "${url}"`),
    ]) {
      expect(command.opts().store).toBe(url);
      expect(printedSettings(command).store!.value).toBe(shown);
      expect(configText(command)).toContain(`\nstore = "${shown}"  # `);
      expect(configText(command)).not.toMatch(/sec(%40)?ret/);
    }
  });

  it('has an example that names every setting, with values that are taken', async () => {
    const text = readFileSync(EXAMPLE, 'utf8');
    const whole = text.replace(/^# ?(?=[a-z-]+ = )/gm, '');
    const options = settingsOf(trackerCommand());
    expect(Object.keys(parse(whole)).sort()).toEqual(options.map(keyOf).sort());
    await configured([], {}, whole);
    await configured([], {}, text);
  });

  it('has variables that no other part of Shoal reads', () => {
    const taken = new Set(['SHOAL_DEBUG', 'SHOAL_LOG', 'SHOAL_NATIVE', 'SHOAL_TOKEN', 'SHOAL_PATH', 'SHOAL_NAME']);
    const variables = settingsOf(trackerCommand()).map(variableOf);
    expect(variables.filter((variable) => taken.has(variable))).toEqual([]);
    expect(new Set(variables).size).toBe(variables.length);
  });
});
